//! Confirming and undoing a change of address in a browser.

use super::{
    WebState, error,
    form::{OwnForm, TokenForm, Visitor},
    notice::{Fate, Link, Notice},
    page::{self, EmailChangePage, Frame, Nonce},
    pasted::pasted_token,
    wording::EmailChangeStep,
};
use crate::domain::{Error, Result, secret::Secret};
use axum::{extract::State, http::StatusCode, response::Response};

/// `GET /confirm-email-change`
pub async fn show_confirm(State(state): State<WebState>) -> Response {
    step_page(&state, EmailChangeStep::Confirm)
}

/// `GET /undo-email-change`
pub async fn show_undo(State(state): State<WebState>) -> Response {
    step_page(&state, EmailChangeStep::Undo)
}

/// `POST /confirm-email-change`
pub async fn confirm(
    State(state): State<WebState>,
    Visitor(client): Visitor,
    OwnForm(form): OwnForm<TokenForm>,
) -> Response {
    let done = match secret(&form) {
        Ok(secret) => state.services.confirm_email_change(&secret, &client).await,
        Err(trouble) => Err(trouble),
    };
    answer(&state, Link::ConfirmEmailChange, done)
}

/// `POST /undo-email-change`
pub async fn undo(
    State(state): State<WebState>,
    Visitor(client): Visitor,
    OwnForm(form): OwnForm<TokenForm>,
) -> Response {
    let done = match secret(&form) {
        Ok(secret) => state.services.undo_email_change(&secret, &client).await,
        Err(trouble) => Err(trouble),
    };
    answer(&state, Link::UndoEmailChange, done)
}

fn step_page(state: &WebState, step: EmailChangeStep) -> Response {
    let nonce = Nonce::from_random(state.entropy.bytes());
    let frame = Frame {
        nonce: &nonce,
        host: &state.host,
    };
    let page = EmailChangePage {
        frame,
        step,
        token: "",
        problem: None,
    };
    page::respond(&nonce, StatusCode::OK, &page)
}

fn secret(form: &TokenForm) -> Result<Secret> {
    Secret::parse(pasted_token(&form.token)).ok_or(Error::BadToken)
}

fn answer(state: &WebState, link: Link, done: Result<()>) -> Response {
    match done {
        Ok(()) => error::notice(state, &Notice::of_link(link, Fate::Done)),
        Err(trouble) => error::of_link(state, link, &trouble),
    }
}
