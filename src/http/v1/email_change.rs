//! Changing one's address.

use super::message::MessageResponse;
use crate::{
    domain::{
        Error, Result, actor::SignedIn, email::EmailAddress, error::Fault, password::Password,
        secret::Secret,
    },
    http::extract::{Caller, Check, Field, Json},
    services::Services,
};
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

/// The new address, and the password as proof.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "new_email": "new@example.com", "password": "SecurePass123" }))]
pub struct ChangeEmailRequest {
    #[schema(value_type = String, required = true, format = "email", min_length = 3, max_length = 254)]
    #[serde(default)]
    new_email: Field<String>,
    #[schema(value_type = String, required = true, min_length = 1, max_length = 256)]
    #[serde(default)]
    password: Field<String>,
}

/// The mailed token.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "token": "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8" }))]
pub struct EmailChangeTokenRequest {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200)]
    #[serde(default)]
    token: Field<String>,
}

/// Ask to change one's address
///
/// Mails a confirmation link to the new address; the old one stays until it is answered.
#[utoipa::path(
    post, path = "/change-email", tag = "Account", request_body = ChangeEmailRequest,
    operation_id = "change_email", security(("bearerAuth" = [])),
    responses(
        (status = 202, description = "A mail is on its way to the new address", body = MessageResponse),
        (status = 403, description = "`wrong_password`"),
        (status = 409, description = "`email_taken`"),
    )
)]
pub async fn change_email(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Json(body): Json<ChangeEmailRequest>,
) -> Result<(StatusCode, axum::Json<MessageResponse>)> {
    let mut check = Check::new();
    let new_email = check.text("new_email", body.new_email, EmailAddress::parse);
    let password = check.text("password", body.password, Password::parse);
    let (new_email, password) = check.done((new_email, password))?;
    services
        .change_email(&who, &new_email, password, &client)
        .await?;
    let message = "Follow the link in the mail to the new address to confirm it.";
    Ok((StatusCode::ACCEPTED, MessageResponse::new(message)))
}

/// Confirm a change of address
///
/// With the token that was mailed to the new address. The old address is told, with a way to undo it.
#[utoipa::path(
    post, path = "/confirm-email-change", tag = "Account", request_body = EmailChangeTokenRequest,
    operation_id = "confirm_email_change",
    responses(
        (status = 200, description = "The address is changed", body = MessageResponse),
        (status = 400, description = "`token_invalid`, `malformed`"),
        (status = 409, description = "`email_taken`"),
        (status = 410, description = "`token_expired`, `token_used`"),
    )
)]
pub async fn confirm_email_change(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<EmailChangeTokenRequest>,
) -> Result<axum::Json<MessageResponse>> {
    services
        .confirm_email_change(&body.secret()?, &client)
        .await?;
    Ok(MessageResponse::new("Your e-mail address is changed."))
}

/// Undo a change of address
///
/// With the token that was mailed to the old address. Ends all sessions.
#[utoipa::path(
    post, path = "/undo-email-change", tag = "Account", request_body = EmailChangeTokenRequest,
    operation_id = "undo_email_change",
    responses(
        (status = 200, description = "The old address is back", body = MessageResponse),
        (status = 400, description = "`token_invalid`, `malformed`"),
        (status = 409, description = "`email_taken`"),
        (status = 410, description = "`token_expired`, `token_used`"),
    )
)]
pub async fn undo_email_change(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<EmailChangeTokenRequest>,
) -> Result<axum::Json<MessageResponse>> {
    services.undo_email_change(&body.secret()?, &client).await?;
    Ok(MessageResponse::new(
        "Your old e-mail address is back. Reset your password if you did not change it yourself.",
    ))
}

impl EmailChangeTokenRequest {
    fn secret(self) -> Result<Secret> {
        let mut check = Check::new();
        let token = check.text("token", self.token, |text| {
            Ok::<_, Fault>(Secret::parse(text))
        });
        check.done(token)?.ok_or(Error::BadToken)
    }
}
