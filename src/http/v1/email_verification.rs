//! Confirming an address, or declining the account that was opened with it.

use super::{message::MessageResponse, user::UserResponse};
use crate::{
    domain::{
        Error, Result,
        actor::SignedIn,
        email::EmailAddress,
        error::{Fault, Violation},
        secret::Secret,
    },
    http::extract::{Caller, Check, Field, Json, Query},
    services::{Services, email_verification::VerifiedEmail},
};
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The mailed token.
#[derive(Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[schema(example = json!({ "token": "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8" }))]
pub struct VerifyEmailRequest {
    /// From the mailed link.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200)]
    #[param(value_type = String, required = true, min_length = 1, max_length = 200, example = "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8")]
    #[serde(default)]
    token: Field<String>,
}

/// The address; none for the signed-in person's own.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "email": "user@example.com" }))]
pub struct VerifyEmailRequestRequest {
    #[schema(value_type = Option<String>, format = "email", min_length = 3, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
}

/// The account, confirmed.
#[derive(Serialize, ToSchema)]
pub struct VerifyEmailResponse {
    #[schema(max_length = 200, example = "Your e-mail address is confirmed.")]
    message: &'static str,
    /// The link had done its work before.
    already_verified: bool,
    user: UserResponse,
}

/// Confirm an address
///
/// Activates the account. Repeating it is harmless while the link is in time.
#[utoipa::path(
    post, path = "/verify-email", tag = "Authentication", request_body = VerifyEmailRequest,
    operation_id = "verify_email",
    responses(
        (status = 200, description = "The address is confirmed", body = VerifyEmailResponse),
        (status = 400, description = "`token_invalid`, `malformed`"),
        (status = 410, description = "`token_expired`"),
    )
)]
pub async fn verify_email(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<VerifyEmailRequest>,
) -> Result<axum::Json<VerifyEmailResponse>> {
    let verified = services.verify_email(&body.secret()?, &client).await?;
    Ok(VerifyEmailResponse::of(&services, verified))
}

/// Decline an account
///
/// For the owner of an address with which somebody else has signed up: the account, which was never confirmed, is erased
/// with its password, its sessions and its profile.
#[utoipa::path(
    post, path = "/verify-email/decline", tag = "Authentication", request_body = VerifyEmailRequest,
    operation_id = "decline_email_verification",
    responses(
        (status = 200, description = "The account is erased", body = MessageResponse),
        (status = 400, description = "`token_invalid`, `malformed`"),
        (status = 410, description = "`token_expired`, `token_used`"),
    )
)]
pub async fn decline_email_verification(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<VerifyEmailRequest>,
) -> Result<axum::Json<MessageResponse>> {
    services
        .decline_email_verification(&body.secret()?, &client)
        .await?;
    let message = "The account that was opened with your e-mail address is erased.";
    Ok(MessageResponse::new(message))
}

/// Confirm an address by its link
///
/// What the mailed link leads to. API clients get JSON and the link is used; browsers (`Accept: text/html`) get a page
/// whose one button POSTs, so that a mail scanner's visit uses nothing up.
#[utoipa::path(
    get, path = "/verify-email", tag = "Authentication", params(VerifyEmailRequest), operation_id = "verify_email_get",
    responses(
        (
            status = 200, description = "The address is confirmed; as HTML the page that asks for a click",
            content((VerifyEmailResponse = "application/json"), (String = "text/html", example = json!("<!doctype html>..")))
        ),
        (status = 400, description = "`token_invalid`; a page for browsers"),
        (status = 410, description = "`token_expired`; a page for browsers"),
    )
)]
pub async fn verify_email_get(
    State(services): State<Services>,
    Caller(client): Caller,
    Query(query): Query<VerifyEmailRequest>,
) -> Result<axum::Json<VerifyEmailResponse>> {
    let verified = services.verify_email(&query.secret()?, &client).await?;
    Ok(VerifyEmailResponse::of(&services, verified))
}

/// Ask for a new verification link
///
/// By address, or for the signed-in person, who needs no body. Always 202; the earlier link becomes void.
#[utoipa::path(
    post, path = "/verify-email-request", tag = "Authentication", request_body = Option<VerifyEmailRequestRequest>,
    operation_id = "request_email_verification", security((), ("bearerAuth" = [])),
    responses((status = 202, description = "The same answer for every address", body = MessageResponse))
)]
pub async fn request_email_verification(
    State(services): State<Services>,
    Caller(client): Caller,
    who: Option<SignedIn>,
    body: Option<Json<VerifyEmailRequestRequest>>,
) -> Result<(StatusCode, axum::Json<MessageResponse>)> {
    let mut check = Check::new();
    let email = body.map(|Json(body)| body.email).unwrap_or_default();
    let email = check.optional_text("email", email, EmailAddress::parse);
    let email = check.done(email)?.or(who.map(|who| who.user.email));
    let email = email.ok_or_else(|| Error::Invalid(vec![Violation::required("email")]))?;
    services.request_email_verification(&email, &client).await?;
    let message = "If this address waits for confirmation, a mail with a link is on its way.";
    Ok((StatusCode::ACCEPTED, MessageResponse::new(message)))
}

impl VerifyEmailRequest {
    fn secret(self) -> Result<Secret> {
        let mut check = Check::new();
        let token = check.text("token", self.token, |text| {
            Ok::<_, Fault>(Secret::parse(text))
        });
        check.done(token)?.ok_or(Error::BadToken)
    }
}

impl VerifyEmailResponse {
    fn of(services: &Services, verified: VerifiedEmail) -> axum::Json<Self> {
        axum::Json(Self {
            message: if verified.already_verified {
                "Your e-mail address was confirmed before."
            } else {
                "Your e-mail address is confirmed."
            },
            already_verified: verified.already_verified,
            user: UserResponse::not_signed_in(verified.user, services.now()),
        })
    }
}
