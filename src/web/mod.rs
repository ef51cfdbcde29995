//! Floor 3, pages for people: those behind the links in mails, and the development mailbox. They work without
//! JavaScript, except that only a script can read a fragment; without it the token is pasted.

mod email_change;
mod email_verification;
mod error;
mod form;
mod invitation;
pub mod mailbox;
mod notice;
mod page;
mod password_reset;
mod pasted;
mod wording;

use crate::services::Services;
use axum::{
    Router,
    extract::FromRef,
    routing::{get, post},
};

pub use email_verification::show_verify_email;

/// What pages work with.
#[derive(Clone)]
pub struct WebState {
    pub services: Services,
    /// The name by which people know the deployment.
    pub host: std::sync::Arc<str>,
    /// Of the public URL, as browsers name it.
    pub origin: std::sync::Arc<str>,
    pub entropy: crate::services::Entropy,
}

impl FromRef<WebState> for Services {
    fn from_ref(state: &WebState) -> Self {
        state.services.clone()
    }
}

/// The pages. `GET /verify-email` is not among them: it shares its path with the API, and the wiring chooses.
pub fn routes(state: &WebState) -> Router {
    let mut router = Router::new()
        .route("/verify-email", post(email_verification::verify_email))
        .route("/verify-email/decline", post(email_verification::decline))
        .route(
            "/resend-verification",
            get(email_verification::show_resend).post(email_verification::resend),
        )
        .route(
            "/forgot-password",
            get(password_reset::show_forgot).post(password_reset::request),
        )
        .route(
            "/reset-password",
            get(password_reset::show_reset).post(password_reset::confirm),
        )
        .route(
            "/accept-invitation",
            get(invitation::show).post(invitation::accept),
        )
        .route(
            "/confirm-email-change",
            get(email_change::show_confirm).post(email_change::confirm),
        )
        .route(
            "/undo-email-change",
            get(email_change::show_undo).post(email_change::undo),
        );
    if state.services.has_mailbox() {
        router = router
            .route("/dev/mailbox", get(mailbox::show))
            .route("/dev/mailbox.json", get(mailbox::list));
    }
    router.with_state(state.clone())
}
