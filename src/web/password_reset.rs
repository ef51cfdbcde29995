//! Choosing a new password in a browser.

use super::{
    WebState,
    email_verification::{email_form, not_an_address},
    error,
    form::{EmailForm, OwnForm, PasswordForm, Visitor},
    notice::{Fate, Link, Notice},
    page::{self, Frame, Nonce, PasswordPage},
    pasted::pasted_token,
    wording::{EmailFormPurpose, PasswordPurpose},
};
use crate::domain::{
    Error, email::EmailAddress, error::Violation, password::Password, secret::Secret,
};
use axum::{extract::State, http::StatusCode, response::Response};

/// `GET /forgot-password`
pub async fn show_forgot(State(state): State<WebState>) -> Response {
    email_form(&state, EmailFormPurpose::ForgotPassword, "", None)
}

/// `POST /forgot-password`
pub async fn request(
    State(state): State<WebState>,
    Visitor(client): Visitor,
    OwnForm(form): OwnForm<EmailForm>,
) -> Response {
    let Ok(email) = EmailAddress::parse(&form.email) else {
        return not_an_address(&state, EmailFormPurpose::ForgotPassword, &form.email);
    };
    match state.services.request_password_reset(&email, &client).await {
        Ok(()) => error::notice(&state, &Notice::check_your_mail()),
        Err(trouble) => error::general(&state, &trouble),
    }
}

/// `GET /reset-password`
pub async fn show_reset(State(state): State<WebState>) -> Response {
    password_page(&state, PasswordPurpose::Reset, "", &[])
}

/// `POST /reset-password`
pub async fn confirm(
    State(state): State<WebState>,
    Visitor(client): Visitor,
    OwnForm(form): OwnForm<PasswordForm>,
) -> Response {
    let (secret, password) = match read(&form) {
        Ok(read) => read,
        Err(trouble) => return answer(&state, PasswordPurpose::Reset, &form, trouble),
    };
    match state
        .services
        .confirm_password_reset(&secret, password, &client)
        .await
    {
        Ok(()) => error::notice(&state, &Notice::of_link(Link::ResetPassword, Fate::Done)),
        Err(trouble) => answer(&state, PasswordPurpose::Reset, &form, trouble),
    }
}

/// The token and the password, typed twice alike.
pub(super) fn read(form: &PasswordForm) -> Result<(Secret, Password), Error> {
    let secret = Secret::parse(pasted_token(&form.token)).ok_or(Error::BadToken)?;
    let password = Password::parse(&form.new_password);
    let password = password.map_err(|fault| Error::Invalid(vec![fault.of("new_password")]))?;
    if form.new_password != form.confirm_password {
        let differs = Violation::new("confirm_password", "mismatch", "The two passwords differ.");
        return Err(Error::Invalid(vec![differs]));
    }
    Ok((secret, password))
}

/// The form again with what is wrong, or what became of the link.
pub(super) fn answer(
    state: &WebState,
    purpose: PasswordPurpose,
    form: &PasswordForm,
    trouble: Error,
) -> Response {
    match trouble {
        Error::Invalid(broken) => password_page(state, purpose, pasted_token(&form.token), &broken),
        trouble => error::of_link(state, purpose.link(), &trouble),
    }
}

/// The form for a new password.
pub(super) fn password_page(
    state: &WebState,
    purpose: PasswordPurpose,
    token: &str,
    broken: &[Violation],
) -> Response {
    let errors: Vec<(&str, &str)> = broken
        .iter()
        .map(|v| (field(v.field), v.message.as_str()))
        .collect();
    let policy = policy_text(state);
    let nonce = Nonce::from_random(state.entropy.bytes());
    let page = PasswordPage {
        frame: Frame {
            nonce: &nonce,
            host: &state.host,
        },
        purpose,
        token,
        policy: &policy,
        problem: None,
        errors: &errors,
    };
    let status = if broken.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    page::respond(&nonce, status, &page)
}

/// The form's own name of a field.
fn field(name: &'static str) -> &'static str {
    if name == "confirm_password" {
        name
    } else {
        "new_password"
    }
}

/// The password rules in one or two sentences.
fn policy_text(state: &WebState) -> String {
    let rules = state.services.password_policy();
    let kinds = "upper case, lower case and a digit";
    let composed = rules.requires_uppercase || rules.requires_lowercase || rules.requires_digit;
    let kinds = match rules.composition_until {
        _ if !composed => String::new(),
        Some(long) => format!(", with {kinds}; from {long} characters on anything goes"),
        None => format!(", with {kinds}"),
    };
    let least = rules.min_length;
    format!(
        "At least {least} characters{kinds}. A few unrelated words make a good one; common passwords and your own name \
         are refused."
    )
}
