//! Accepting an invitation.

use super::{message::UserMessageResponse, signup::mismatch, user::UserResponse};
use crate::{
    domain::{Error, Result, error::Fault, password::Password, secret::Secret, text},
    http::extract::{Caller, Check, Field, Json},
    services::Services,
};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// The mailed token and the password that the person chooses.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "token": "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8", "password": "SecurePass123" }))]
pub struct AcceptInvitationRequest {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200)]
    #[serde(default)]
    token: Field<String>,
    /// Its rules are at `/api/v1/auth/password-policy`.
    #[schema(value_type = String, required = true, min_length = 8, max_length = 256)]
    #[serde(default)]
    password: Field<String>,
    /// Must equal `password` if it is there.
    #[schema(value_type = Option<String>, max_length = 256)]
    #[serde(default)]
    confirm_password: Field<String>,
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[serde(default)]
    full_name: Field<String>,
}

/// Accept an invitation
///
/// Sets the password of an invited account, confirms its address and activates it.
#[utoipa::path(
    post, path = "/accept-invitation", tag = "Authentication", request_body = AcceptInvitationRequest,
    operation_id = "accept_invitation",
    responses(
        (status = 200, description = "The account is active", body = UserMessageResponse),
        (status = 400, description = "`token_invalid`, `malformed`"),
        (status = 410, description = "`token_expired`, `token_used`"),
    )
)]
pub async fn accept_invitation(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<AcceptInvitationRequest>,
) -> Result<axum::Json<UserMessageResponse>> {
    let mut check = Check::new();
    let token = check.text("token", body.token, |text| {
        Ok::<_, Fault>(Secret::parse(text))
    });
    let password = check.text("password", body.password, Password::parse);
    let repeated = check.optional_text("confirm_password", body.confirm_password, Password::parse);
    let full_name = check.optional_text("full_name", body.full_name, |name| text::line(100, name));
    if let Some(password) = password.value() {
        check.report(mismatch(
            password,
            repeated.value().and_then(Option::as_ref),
        ));
    }
    let (token, password, full_name) = check.done((token, password, full_name))?;
    let token = token.ok_or(Error::BadToken)?;
    let user = services
        .accept_invitation(&token, password, full_name, &client)
        .await?;
    let user = UserResponse::not_signed_in(user, services.now());
    Ok(axum::Json(UserMessageResponse {
        message: "Your account is ready. Sign in with your password.",
        user,
    }))
}
