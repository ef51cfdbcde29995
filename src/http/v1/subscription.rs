//! Changing tiers: one's own, and as an admin anybody's.

use super::user::UserResponse;
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        error::Fault,
        id::UserId,
        permission::Permission,
        user::{Tier, months},
        user_list::time,
    },
    http::{
        extract::{Caller, Check, Field, IfMatch, Json, Path},
        versioned::Versioned,
    },
    services::{Services, subscription::Subscription},
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

/// The tier that a person is to have.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "tier": "premium", "until": "2027-01-05T12:00:00Z" }))]
pub struct SetSubscriptionRequest {
    /// `basic` or `premium`.
    #[schema(value_type = super::user::TierName, required = true)]
    #[serde(default)]
    tier: Field<String>,
    /// When premium ends; without it, never.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[serde(default)]
    until: Field<String>,
}

impl SetSubscriptionRequest {
    fn parse(self, IfMatch(expected): IfMatch) -> Result<Subscription> {
        let mut check = Check::new();
        let tier = check.text("tier", self.tier, |name| {
            Tier::parse(name).ok_or(Fault::new("unknown_value", "There is no such tier."))
        });
        let until = check.optional_text("until", self.until, time);
        let (tier, until) = check.done((tier, until))?;
        Ok(Subscription {
            tier,
            until,
            expected,
        })
    }
}

/// Set a person's tier
///
/// At once, for a time or for good. For admins.
#[utoipa::path(
    put, path = "/{id}/subscription", tag = "Users", request_body = SetSubscriptionRequest, operation_id = "set_subscription",
    security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The person's id"),
        ("If-Match" = Option<String>, Header, description = "The account's `ETag` that was read", max_length = 1000),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = UserResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn set_subscription(
    State(services): State<Services>,
    Caller(client): Caller,
    whom: (SignedIn, Path<UserId>, IfMatch),
    Json(body): Json<SetSubscriptionRequest>,
) -> Result<Versioned<UserResponse>> {
    let (who, Path(id), expected) = whom;
    who.must(Permission::ManageSubscriptions)?;
    let wish = body.parse(expected)?;
    let user = services.set_subscription(&who, id, wish, &client).await?;
    Ok(UserResponse::answer(&who, user, services.now()))
}
