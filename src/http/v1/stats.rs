//! Figures about one's own account.

use super::user::TierName;
use crate::{
    domain::{Result, actor::SignedIn, profile::Completeness},
    services::{Services, stats::Stats},
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// How much of what others look for is told.
#[derive(Serialize, ToSchema)]
pub struct ProfileCompleteness {
    /// The weights of what is told: headline, bio, skills 15 each; full name, country, title, picture 10 each;
    /// experience, education, languages 5 each.
    #[schema(minimum = 0, maximum = 100, example = 85)]
    percent: u8,
    /// What is not told yet, what counts most first.
    #[schema(max_items = 10, value_type = Vec<String>, example = json!(["bio"]))]
    missing: Vec<&'static str>,
}

impl From<Completeness> for ProfileCompleteness {
    fn from(told: Completeness) -> Self {
        Self {
            percent: told.percent,
            missing: told.missing,
        }
    }
}

/// Figures about an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Stats)]
pub struct StatsResponse {
    /// Whole days since the sign-up.
    #[schema(minimum = 0, example = 365)]
    account_age_days: i64,
    #[schema(minimum = 0, example = 42)]
    login_count: i64,
    last_login_at: Option<DateTime<Utc>>,
    #[schema(minimum = 0, example = 2)]
    active_sessions: u64,
    profile_completeness: ProfileCompleteness,
    /// Times that others have looked at the profile; each viewer counts once an hour on each node.
    #[schema(minimum = 0, example = 7)]
    profile_views: i64,
    /// The tier in force.
    #[schema(value_type = TierName, example = "basic")]
    tier: &'static str,
    /// Since when it is in force.
    tier_since: DateTime<Utc>,
}

impl From<Stats> for StatsResponse {
    fn from(stats: Stats) -> Self {
        Self {
            account_age_days: stats.account_age_days,
            login_count: stats.login_count,
            last_login_at: stats.last_login_at,
            active_sessions: stats.active_sessions,
            profile_completeness: stats.completeness.into(),
            profile_views: stats.profile_views,
            tier: stats.tier.as_str(),
            tier_since: stats.tier_since,
        }
    }
}

/// See the figures of one's account
///
/// Age, sign-ins, sessions, how complete the profile is, who has looked, and the tier.
#[utoipa::path(
    get, path = "/me/stats", tag = "Account", operation_id = "get_stats", security(("bearerAuth" = [])),
    responses((status = 200, description = "The figures", body = StatsResponse))
)]
pub async fn get_stats(
    State(services): State<Services>,
    who: SignedIn,
) -> Result<Json<StatsResponse>> {
    let stats = services.get_stats(&who).await?;
    Ok(Json(stats.into()))
}
