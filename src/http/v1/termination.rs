//! Ending one's account.

use crate::{
    domain::{
        Result,
        actor::SignedIn,
        error::{Fault, Violation},
        password::Password,
    },
    http::extract::{Caller, Check, Field, IfMatch, Json},
    services::Services,
};
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

/// The password, and that it is really meant.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "password": "SecurePass123", "confirm": true }))]
pub struct TerminateRequest {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 256)]
    #[serde(default)]
    password: Field<String>,
    /// Must be `true`.
    #[schema(value_type = bool, required = true)]
    #[serde(default)]
    confirm: Field<bool>,
}

/// End one's account
///
/// Marks the account as terminated and ends all sessions. Only an admin can bring it back.
#[utoipa::path(
    post, path = "/me/terminate", tag = "Account", request_body = TerminateRequest,
    operation_id = "terminate_account", security(("bearerAuth" = [])),
    responses(
        (status = 204, description = "The account is terminated"),
        (status = 403, description = "`wrong_password`"),
        (status = 409, description = "`last_admin`"),
    )
)]
pub async fn terminate_account(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Json(body): Json<TerminateRequest>,
) -> Result<StatusCode> {
    let mut check = Check::new();
    let password = check.text("password", body.password, Password::parse);
    let confirm = check.required("confirm", body.confirm, Ok::<_, Fault>);
    if confirm.value() == Some(&false) {
        check.report([Violation::new(
            "confirm",
            "unknown_value",
            "Set this to true to end the account.",
        )]);
    }
    let (password, _) = check.done((password, confirm))?;
    services.terminate_account(&who, password, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete one's account
///
/// The same as `terminate`, for an access token whose password was proven recently (`reauthenticate`).
#[utoipa::path(
    delete, path = "/me", tag = "Account", operation_id = "delete_me", security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the account that was read", max_length = 1000)),
    responses(
        (status = 204, description = "The account is terminated"),
        (status = 403, description = "`reauthentication_required`"),
        (status = 409, description = "`last_admin`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn delete_me(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode> {
    services.delete_me(&who, &expected, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
