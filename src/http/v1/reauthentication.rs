//! Proving the password again inside a session.

use crate::{
    domain::{Result, actor::SignedIn, password::Password},
    http::extract::{Caller, Check, Field, Json},
    services::Services,
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The password.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "password": "SecurePass123" }))]
pub struct ReauthenticateRequest {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 256)]
    #[serde(default)]
    password: Field<String>,
}

/// A new access token of the same session.
#[derive(Serialize, ToSchema)]
pub struct AccessTokenResponse {
    #[schema(
        max_length = 4096,
        example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.e30.c2ln"
    )]
    access_token: String,
    #[schema(max_length = 6, example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(minimum = 0, example = 1800)]
    expires_in: u64,
}

/// Prove the password again
///
/// Answers with an access token with a fresh `auth_time`, as deletions and other sensitive operations need; the one
/// that was shown is revoked.
#[utoipa::path(
    post, path = "/reauthenticate", tag = "Sessions", request_body = ReauthenticateRequest,
    operation_id = "reauthenticate", security(("bearerAuth" = [])),
    responses(
        (status = 200, description = "A fresh access token", body = AccessTokenResponse),
        (status = 403, description = "`wrong_password`"),
    )
)]
pub async fn reauthenticate(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Json(body): Json<ReauthenticateRequest>,
) -> Result<axum::Json<AccessTokenResponse>> {
    let mut check = Check::new();
    let password = check.text("password", body.password, Password::parse);
    let token = services
        .reauthenticate(&who, check.done(password)?, &client)
        .await?;
    Ok(axum::Json(AccessTokenResponse {
        access_token: token.access_token,
        token_type: "Bearer",
        expires_in: token.expires_in.as_secs(),
    }))
}
