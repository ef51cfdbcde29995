//! Resetting a forgotten password.

use super::{message::MessageResponse, signup::mismatch};
use crate::{
    domain::{
        Error, Result, email::EmailAddress, error::Fault, password::Password, secret::Secret,
    },
    http::extract::{Caller, Check, Field, Json},
    services::Services,
};
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

/// The address of the account.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "email": "user@example.com" }))]
pub struct PasswordResetRequest {
    #[schema(value_type = String, required = true, format = "email", min_length = 3, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
}

/// The mailed token and the new password.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "token": "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8", "new_password": "AnotherPass456" }))]
pub struct PasswordResetConfirmRequest {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200)]
    #[serde(default)]
    token: Field<String>,
    /// Its rules are at `/api/v1/auth/password-policy`.
    #[schema(value_type = String, required = true, min_length = 8, max_length = 256)]
    #[serde(default)]
    new_password: Field<String>,
    /// Must equal `new_password` if it is there.
    #[schema(value_type = Option<String>, max_length = 256)]
    #[serde(default)]
    confirm_password: Field<String>,
}

/// Ask for a reset link
///
/// Always 202; a mail goes out only if the account exists and is in use.
#[utoipa::path(
    post, path = "/password-reset-request", tag = "Authentication", request_body = PasswordResetRequest,
    operation_id = "request_password_reset",
    responses((status = 202, description = "The same answer for every address", body = MessageResponse))
)]
pub async fn request_password_reset(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<PasswordResetRequest>,
) -> Result<(StatusCode, axum::Json<MessageResponse>)> {
    let mut check = Check::new();
    let email = check.text("email", body.email, EmailAddress::parse);
    services
        .request_password_reset(&check.done(email)?, &client)
        .await?;
    let message = "If there is an account with this address, a mail with a link is on its way.";
    Ok((StatusCode::ACCEPTED, MessageResponse::new(message)))
}

/// Set a new password with a reset link
///
/// Works once, and ends all sessions.
#[utoipa::path(
    post, path = "/password-reset-confirm", tag = "Authentication", request_body = PasswordResetConfirmRequest,
    operation_id = "confirm_password_reset",
    responses(
        (status = 200, description = "The password is changed", body = MessageResponse),
        (status = 400, description = "`token_invalid`, `malformed`"),
        (status = 410, description = "`token_expired`, `token_used`"),
    )
)]
pub async fn confirm_password_reset(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<PasswordResetConfirmRequest>,
) -> Result<axum::Json<MessageResponse>> {
    let mut check = Check::new();
    let token = check.text("token", body.token, |text| {
        Ok::<_, Fault>(Secret::parse(text))
    });
    let new = check.text("new_password", body.new_password, Password::parse);
    let repeated = check.optional_text("confirm_password", body.confirm_password, Password::parse);
    if let Some(new) = new.value() {
        check.report(mismatch(new, repeated.value().and_then(Option::as_ref)));
    }
    let (token, new) = check.done((token, new))?;
    services
        .confirm_password_reset(&token.ok_or(Error::BadToken)?, new, &client)
        .await?;
    Ok(MessageResponse::new(
        "Your password is changed. Sign in with the new one.",
    ))
}
