//! Exchanging a refresh token.

use super::login::TokenResponse;
use crate::{
    domain::{
        Result,
        error::{Fault, Refusal},
        secret::Secret,
    },
    http::extract::{Caller, Check, Field, Json},
    services::Services,
};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "refresh_token": "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8" }))]
pub struct RefreshRequest {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200)]
    #[serde(default)]
    refresh_token: Field<String>,
}

/// Exchange a refresh token
///
/// Each refresh token works once and gives a new pair. A parallel call within the grace window gets the same new
/// refresh token; any later replay ends the session.
#[utoipa::path(
    post, path = "/refresh", tag = "Authentication", request_body = RefreshRequest, operation_id = "refresh",
    responses(
        (status = 200, description = "The session's next tokens", body = TokenResponse),
        (status = 401, description = "`token_invalid`, `token_expired`, `token_reused`, `session_ended`"),
    )
)]
pub async fn refresh(
    State(services): State<Services>,
    Caller(client): Caller,
    Json(body): Json<RefreshRequest>,
) -> Result<axum::Json<TokenResponse>> {
    let mut check = Check::new();
    let token = check.text("refresh_token", body.refresh_token, |text| {
        Ok::<_, Fault>(Secret::parse(text))
    });
    // A token of another form was never ours, which is as wrong as an unknown one.
    let token = check.done(token)?.ok_or(Refusal::TokenInvalid)?;
    let tokens = services.refresh(&token, &client).await?;
    Ok(TokenResponse::of(&services, tokens))
}
