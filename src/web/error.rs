//! The one place where pages turn an [`Error`] into words and a status.

use super::{
    WebState,
    notice::{Fate, Link, Notice, Tone},
    page::{self, Frame, Nonce, NoticePage},
};
use crate::domain::{Error, audit::Refused, error::Spent};
use axum::{http::StatusCode, response::Response};

/// What became of a link, if that is what the error says.
pub fn fate(error: &Error) -> Option<Fate> {
    match error {
        Error::BadToken => Some(Fate::Invalid),
        Error::Gone(Spent::Expired) => Some(Fate::Expired),
        Error::Gone(Spent::Used) => Some(Fate::Used),
        _ => None,
    }
}

/// The page for a link that was followed and opened nothing.
pub fn of_link(state: &WebState, link: Link, error: &Error) -> Response {
    match fate(error) {
        Some(fate) => refusing(error, notice(state, &Notice::of_link(link, fate))),
        None => general(state, error),
    }
}

/// The page for trouble that is not the link's.
pub fn general(state: &WebState, error: &Error) -> Response {
    let (status, title, line) = match error {
        Error::TooMany { .. } => (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many tries",
            "Wait a few minutes, then try again.",
        ),
        Error::Unavailable(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Busy just now",
            "The service cannot answer at this moment. Nothing is lost: try again shortly.",
        ),
        Error::Conflict(_) => (
            StatusCode::CONFLICT,
            "This cannot be done",
            "Another account uses this address meanwhile.",
        ),
        Error::Internal(chain) => {
            tracing::error!(error = format!("{chain:#}"), "a page failed");
            (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong here",
                "It is our fault. Try again later.",
            )
        }
        _ => (
            StatusCode::BAD_REQUEST,
            "This does not work",
            "Go back, check what you typed, and try again.",
        ),
    };
    let trouble = Notice {
        status,
        tone: Tone::Bad,
        title,
        lines: vec![line],
        next: None,
    };
    refusing(error, notice(state, &trouble))
}

/// Lets the frame around the pages know of a refusal, for the audit trail.
fn refusing(error: &Error, mut page: Response) -> Response {
    if let Some(refused) = Refused::of(error) {
        page.extensions_mut().insert(refused);
    }
    page
}

/// A page that says how something ended.
pub fn notice(state: &WebState, notice: &Notice) -> Response {
    let nonce = Nonce::from_random(state.entropy.bytes());
    let frame = Frame {
        nonce: &nonce,
        host: &state.host,
    };
    page::respond(&nonce, notice.status, &NoticePage::new(frame, notice))
}
