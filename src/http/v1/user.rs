//! The user on the wire.

use crate::{
    domain::{
        Timestamp,
        actor::SignedIn,
        id::UserId,
        permission::Permission,
        user::{Tier, User, UserStatus},
    },
    http::{links::Links, versioned::Versioned},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A person's account as its owner sees it.
#[expect(clippy::struct_excessive_bools, reason = "the shape that API.md fixes")]
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserResponse {
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    id: UserId,
    #[schema(format = "email", max_length = 254, example = "ada@example.com")]
    email: String,
    #[schema(max_length = 32, example = "ada")]
    username: Option<String>,
    #[schema(max_length = 100, example = "Ada Lovelace")]
    full_name: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(max_length = 2, example = "GB")]
    country: Option<String>,
    #[schema(max_length = 100, example = "England")]
    state_province: Option<String>,
    #[schema(max_length = 100, example = "Analyst")]
    current_title: Option<String>,
    #[schema(max_length = 100, example = "London")]
    location: Option<String>,
    /// BCP 47.
    #[schema(max_length = 35, example = "en-GB")]
    locale: Option<String>,
    /// IANA time zone.
    #[schema(max_length = 50, example = "Europe/London")]
    timezone: Option<String>,
    #[schema(max_length = 200)]
    avatar_url: Option<String>,
    #[schema(max_items = 3, value_type = Vec<RoleName>, example = json!(["user"]))]
    roles: Vec<&'static str>,
    /// The tier in force: a premium that has run out reads as basic.
    #[schema(value_type = TierName, example = "basic")]
    tier: &'static str,
    #[schema(value_type = StatusName, example = "active")]
    status: &'static str,
    is_active: bool,
    is_verified: bool,
    is_terminated: bool,
    is_premium: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    last_login_at: Option<DateTime<Utc>>,
    /// Raised by every change.
    #[schema(minimum = 1, example = 1)]
    version: i64,
    #[serde(rename = "_links")]
    links: Links,
}

/// Names of roles, weakest first.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(
    dead_code,
    reason = "only the document names it; on the wire it is text"
)]
pub enum RoleName {
    User,
    Manager,
    Admin,
}

/// Names of tiers.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(
    dead_code,
    reason = "only the document names it; on the wire it is text"
)]
pub enum TierName {
    Basic,
    Premium,
}

/// Names of account states.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(
    dead_code,
    reason = "only the document names it; on the wire it is text"
)]
pub enum StatusName {
    Pending,
    Active,
    Deactivated,
    Terminated,
}

impl UserResponse {
    /// One's own account at this time.
    pub fn own(user: User, now: Timestamp) -> Self {
        let links = own_links(&user);
        Self::with_links(user, now, links)
    }

    /// Somebody's account as this member of staff sees it.
    pub fn seen_by(who: &SignedIn, user: User, now: Timestamp) -> Self {
        let links = if who.user.id == user.id {
            own_links(&user)
        } else {
            staff_links(who, &user)
        };
        Self::with_links(user, now, links)
    }

    /// The same with the account's version as `ETag`.
    pub fn answer(who: &SignedIn, user: User, now: Timestamp) -> Versioned<Self> {
        Versioned(user.version, Self::seen_by(who, user, now))
    }

    /// One's own account before one has signed in.
    pub fn not_signed_in(user: User, now: Timestamp) -> Self {
        Self::with_links(user, now, Links::new().to("self", ME))
    }

    fn with_links(user: User, now: Timestamp, links: Links) -> Self {
        let tier = user.tier_at(now);
        Self {
            id: user.id,
            email: user.email.as_str().to_owned(),
            username: user.username.as_ref().map(|name| name.as_str().to_owned()),
            is_verified: user.is_verified(),
            is_active: user.status == UserStatus::Active,
            is_terminated: user.status == UserStatus::Terminated,
            is_premium: tier == Tier::Premium,
            roles: user.roles.names(),
            tier: tier.as_str(),
            status: user.status.as_str(),
            full_name: user.full_name,
            country: user.country,
            state_province: user.state_province,
            current_title: user.current_title,
            location: user.location,
            locale: user.locale,
            timezone: user.timezone,
            avatar_url: user.avatar_tag.map(|_| avatar_path(user.id)),
            created_at: user.created_at,
            updated_at: user.updated_at,
            last_login_at: user.last_login_at,
            version: user.version,
            links,
        }
    }
}

/// Where a person's picture is served.
pub fn avatar_path(id: UserId) -> String {
    format!("/api/v1/users/{id}/avatar")
}

const ME: &str = "/api/v1/users/me";

fn own_links(user: &User) -> Links {
    Links::new()
        .to("self", ME)
        .to("update", ME)
        .to("delete", ME)
        .to("profile", format!("{ME}/profile"))
        .to("preferences", format!("{ME}/preferences"))
        .to("stats", format!("{ME}/stats"))
        .to("activity", format!("{ME}/activity"))
        .to("export", format!("{ME}/export"))
        .to("sessions", "/api/v1/auth/sessions")
        .may_lead(user.avatar_tag.is_some(), "avatar", avatar_path(user.id))
}

fn staff_links(who: &SignedIn, user: &User) -> Links {
    let there = format!("/api/v1/users/{}", user.id);
    let may = |permission| who.may(permission) && who.outranks(user);
    let (may_end, may_take_up) = match user.status {
        UserStatus::Pending | UserStatus::Active => (may(Permission::DeactivateUsers), false),
        UserStatus::Deactivated => (false, may(Permission::DeactivateUsers)),
        // Only who may erase takes up what its owner has ended.
        UserStatus::Terminated => {
            let may_take_up = may(Permission::DeactivateUsers) && may(Permission::EraseUsers);
            (false, may_take_up)
        }
    };
    Links::new()
        .to("self", there.clone())
        .to("profile", format!("{there}/profile"))
        .to("preferences", format!("{there}/preferences"))
        .may_lead(user.avatar_tag.is_some(), "avatar", avatar_path(user.id))
        .may_lead(may(Permission::UpdateUsers), "update", there.clone())
        .may_lead(
            may(Permission::AssignRoles),
            "roles",
            format!("{there}/roles"),
        )
        .may_lead(may_end, "deactivate", format!("{there}/deactivate"))
        .may_lead(may_take_up, "reactivate", format!("{there}/reactivate"))
        .may_lead(may(Permission::EraseUsers), "delete", there)
}
