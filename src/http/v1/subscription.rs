//! Changing one's own tier.

use super::user::UserResponse;
use crate::{
    domain::{Result, actor::SignedIn, user::months},
    http::{
        extract::{Caller, Check, Field, IfMatch, Json},
        versioned::Versioned,
    },
    services::Services,
};
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

/// How long premium is wanted; without it, for good.
#[derive(Default, Deserialize, ToSchema)]
#[schema(example = json!({ "months": 12 }))]
pub struct UpgradeRequest {
    /// Calendar months from now on, or from the end of the premium in force.
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 36)]
    #[serde(default)]
    months: Field<i64>,
}

/// Become premium
///
/// At once, for so many months or for good. While premium is in force, months are added at its end. With
/// `SUBSCRIPTION_SELF_SERVICE=false` only an admin changes tiers.
#[utoipa::path(
    post, path = "/me/upgrade", tag = "Account", request_body = Option<UpgradeRequest>, operation_id = "upgrade_me",
    security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The account's `ETag` that was read", max_length = 1000)),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`entitlement_required`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn upgrade_me(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    IfMatch(expected): IfMatch,
    body: Option<Json<UpgradeRequest>>,
) -> Result<Versioned<UserResponse>> {
    let body = body.map_or_else(UpgradeRequest::default, |Json(body)| body);
    let mut check = Check::new();
    let months = check.optional("months", body.months, months);
    let months = check.done(months)?;
    let user = services
        .upgrade_me(&who, months, &expected, &client)
        .await?;
    let now = services.now();
    Ok(Versioned(user.version, UserResponse::own(user, now)))
}

/// Go back to basic
///
/// At once; what was left of premium is gone. With `SUBSCRIPTION_SELF_SERVICE=false` only an admin changes tiers.
#[utoipa::path(
    post, path = "/me/downgrade", tag = "Account", operation_id = "downgrade_me", security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The account's `ETag` that was read", max_length = 1000)),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`entitlement_required`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn downgrade_me(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    IfMatch(expected): IfMatch,
) -> Result<Versioned<UserResponse>> {
    let user = services.downgrade_me(&who, &expected, &client).await?;
    let now = services.now();
    Ok(Versioned(user.version, UserResponse::own(user, now)))
}
