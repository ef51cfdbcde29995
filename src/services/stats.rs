//! Figures about one's own account, each counted where it happens.

use super::Services;
use crate::{
    domain::{
        Result, Timestamp,
        actor::SignedIn,
        profile::{Completeness, completeness},
        user::Tier,
    },
    storage::stats,
};

/// The figures of one person.
pub struct Stats {
    pub account_age_days: i64,
    pub login_count: i64,
    pub last_login_at: Option<Timestamp>,
    pub active_sessions: u64,
    pub completeness: Completeness,
    pub profile_views: i64,
    pub tier: Tier,
    pub tier_since: Timestamp,
}

impl Services {
    /// The figures of the person who asks.
    pub async fn get_stats(&self, who: &SignedIn) -> Result<Stats> {
        let (user, now, db) = (&who.user, self.now(), self.store.reader());
        let profile = self.profile_of(db, user.id).await?;
        let counters = stats::get_counters(db, user.id).await?;
        // Read after the row: what is written in between is missed for a moment, never counted twice.
        let unwritten = self.unwritten_profile_views(user.id);
        Ok(Stats {
            account_age_days: (now - user.created_at).num_days(),
            login_count: counters.login_count,
            last_login_at: user.last_login_at,
            active_sessions: self.count_sessions(who).await?,
            completeness: completeness(user, &profile),
            profile_views: counters.profile_views + unwritten,
            tier: user.tier_at(now),
            tier_since: user.tier_since_at(now),
        })
    }
}
