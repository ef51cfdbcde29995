//! Accepting an invitation in a browser.

use super::{
    WebState, error,
    form::{OwnForm, PasswordForm, Visitor},
    notice::{Fate, Link, Notice},
    password_reset::{answer, password_page, read},
    wording::PasswordPurpose,
};
use axum::{extract::State, response::Response};

/// `GET /accept-invitation`
pub async fn show(State(state): State<WebState>) -> Response {
    password_page(&state, PasswordPurpose::Invitation, "", &[])
}

/// `POST /accept-invitation`
pub async fn accept(
    State(state): State<WebState>,
    Visitor(client): Visitor,
    OwnForm(form): OwnForm<PasswordForm>,
) -> Response {
    let (secret, password) = match read(&form) {
        Ok(read) => read,
        Err(trouble) => return answer(&state, PasswordPurpose::Invitation, &form, trouble),
    };
    match state
        .services
        .accept_invitation(&secret, password, None, &client)
        .await
    {
        Ok(_) => error::notice(&state, &Notice::of_link(Link::Invitation, Fate::Done)),
        Err(trouble) => answer(&state, PasswordPurpose::Invitation, &form, trouble),
    }
}
