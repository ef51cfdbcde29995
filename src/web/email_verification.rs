//! Confirming an address in a browser, or declining the account: the mailed link only shows a page; its buttons do the
//! work.

use super::{
    WebState, error,
    form::{EmailForm, OwnForm, TokenForm, Visitor},
    notice::{Fate, Link, Notice},
    page::{self, EmailFormPage, Frame, Nonce, VerifyEmailPage, WaitingAccount, date_time},
    pasted::pasted_token,
    wording::EmailFormPurpose,
};
use crate::domain::{Error, email::EmailAddress, secret::Secret};
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use url::form_urlencoded;

/// `GET /verify-email?token=` and its twin, for browsers. Changes nothing, so that a mail scanner's visit is harmless.
pub async fn show_verify_email(state: &WebState, uri: &Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let token = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token");
    let token = token.map(|(_, token)| token).unwrap_or_default();
    let Some(secret) = Secret::parse(&token) else {
        return error::of_link(state, Link::VerifyEmail, &Error::BadToken);
    };
    let account = match state.services.find_waiting_sign_up(&secret).await {
        Ok(account) => account,
        Err(trouble) => return error::general(state, &trouble),
    };
    let nonce = Nonce::from_random(state.entropy.bytes());
    let frame = Frame {
        nonce: &nonce,
        host: &state.host,
    };
    page::respond(
        &nonce,
        StatusCode::OK,
        &VerifyEmailPage {
            frame,
            token: &token,
            account: account.map(|account| WaitingAccount {
                email: account.email.as_str().to_owned(),
                at: date_time(account.created_at),
            }),
        },
    )
}

/// `POST /verify-email`
pub async fn verify_email(
    State(state): State<WebState>,
    Visitor(client): Visitor,
    OwnForm(form): OwnForm<TokenForm>,
) -> Response {
    let Some(secret) = Secret::parse(pasted_token(&form.token)) else {
        return error::of_link(&state, Link::VerifyEmail, &Error::BadToken);
    };
    match state.services.verify_email(&secret, &client).await {
        Ok(verified) => {
            let fate = if verified.already_verified {
                Fate::Already
            } else {
                Fate::Done
            };
            error::notice(&state, &Notice::of_link(Link::VerifyEmail, fate))
        }
        Err(trouble) => error::of_link(&state, Link::VerifyEmail, &trouble),
    }
}

/// `POST /verify-email/decline`
pub async fn decline(
    State(state): State<WebState>,
    Visitor(client): Visitor,
    OwnForm(form): OwnForm<TokenForm>,
) -> Response {
    let Some(secret) = Secret::parse(pasted_token(&form.token)) else {
        return error::of_link(&state, Link::Decline, &Error::BadToken);
    };
    let declined = state.services.decline_email_verification(&secret, &client);
    match declined.await {
        Ok(()) => error::notice(&state, &Notice::of_link(Link::Decline, Fate::Done)),
        Err(trouble) => error::of_link(&state, Link::Decline, &trouble),
    }
}

/// `GET /resend-verification`
pub async fn show_resend(State(state): State<WebState>) -> Response {
    email_form(&state, EmailFormPurpose::ResendVerification, "", None)
}

/// `POST /resend-verification`
pub async fn resend(
    State(state): State<WebState>,
    Visitor(client): Visitor,
    OwnForm(form): OwnForm<EmailForm>,
) -> Response {
    let Ok(email) = EmailAddress::parse(&form.email) else {
        return not_an_address(&state, EmailFormPurpose::ResendVerification, &form.email);
    };
    match state
        .services
        .request_email_verification(&email, &client)
        .await
    {
        Ok(()) => error::notice(&state, &Notice::check_your_mail()),
        Err(trouble) => error::general(&state, &trouble),
    }
}

/// A form for an address.
pub(super) fn email_form(
    state: &WebState,
    purpose: EmailFormPurpose,
    email: &str,
    problem: Option<&str>,
) -> Response {
    let status = if problem.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let nonce = Nonce::from_random(state.entropy.bytes());
    let frame = Frame {
        nonce: &nonce,
        host: &state.host,
    };
    page::respond(
        &nonce,
        status,
        &EmailFormPage {
            frame,
            purpose,
            email,
            problem,
        },
    )
}

/// The form again, because what was typed is no address.
pub(super) fn not_an_address(state: &WebState, purpose: EmailFormPurpose, typed: &str) -> Response {
    let problem = "This is not an e-mail address. It looks like name@example.com.";
    email_form(state, purpose, typed, Some(problem))
}
