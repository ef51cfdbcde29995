//! How often others look at a profile. Views are gathered in memory, each viewer counted once an hour on each node, and
//! written at intervals: a view must not cost a write, and nobody needs the figure to the second.

use super::Services;
use crate::{
    domain::{Result, id::UserId},
    infra::tracer,
    storage::{Store, stats},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{MutexGuard, PoisonError},
};

/// So many views an hour are told apart; on a node with more the rest is not counted.
const MOST_PAIRS: usize = 100_000;

/// Views since the last flush, and who has been counted in this hour.
#[derive(Default)]
pub struct ProfileViews {
    hour: i64,
    counted: HashSet<(UserId, UserId)>,
    unwritten: HashMap<UserId, i64>,
}

impl ProfileViews {
    /// Counts a view, unless it is one's own or was counted in this hour.
    fn note(&mut self, viewer: UserId, of: UserId, hour: i64) {
        if self.hour != hour {
            self.hour = hour;
            self.counted.clear();
        }
        let has_room = self.counted.len() < MOST_PAIRS;
        if viewer != of && has_room && self.counted.insert((viewer, of)) {
            self.add(of, 1);
        }
    }

    fn add(&mut self, of: UserId, views: i64) {
        *self.unwritten.entry(of).or_default() += views;
    }
}

impl Services {
    /// Notes that somebody has looked at somebody's profile.
    pub fn note_profile_view(&self, viewer: UserId, of: UserId) {
        let hour = self.now().timestamp().div_euclid(3600);
        self.profile_views().note(viewer, of, hour);
    }

    /// How many views of a profile this node has not written yet.
    pub(super) fn unwritten_profile_views(&self, id: UserId) -> i64 {
        let views = self.profile_views();
        views.unwritten.get(&id).copied().unwrap_or_default()
    }

    /// Writes the views gathered since the last flush; called each half minute and at the end.
    pub async fn flush_profile_views(&self) -> Result<()> {
        let unwritten = std::mem::take(&mut self.profile_views().unwritten);
        let unwritten: Vec<_> = unwritten.into_iter().collect();
        // One row a transaction on PostgreSQL, as with last-seen times.
        let batch = if self.store.is_postgres() { 1 } else { 200 };
        let mut left = unwritten.as_slice();
        while !left.is_empty() {
            let (now, later) = left.split_at(batch.min(left.len()));
            let written = tracer::root("flush_profile_views", self.write_profile_views(now));
            if let Err(error) = written.await {
                let mut views = self.profile_views();
                for (id, count) in left {
                    views.add(*id, *count);
                }
                return Err(error);
            }
            left = later;
        }
        Ok(())
    }

    async fn write_profile_views(&self, views: &[(UserId, i64)]) -> Result<()> {
        let tx = self.store.begin().await?;
        for (id, count) in views {
            stats::add_profile_views(&tx, *id, *count).await?;
        }
        Store::commit(tx).await
    }

    fn profile_views(&self) -> MutexGuard<'_, ProfileViews> {
        self.profile_views
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{Means, services},
        config::Config,
        domain::{client::Client, email::EmailAddress, password::Password},
        infra::{clock::Clock, entropy::Entropy},
    };

    fn person(number: u128) -> UserId {
        UserId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_viewer_counts_once_an_hour_and_oneself_never() {
        let mut views = ProfileViews::default();
        let [bob, pia, max] = [1, 2, 3].map(person);
        for (viewer, hour) in [(pia, 7), (pia, 7), (max, 7), (bob, 7), (pia, 8), (pia, 8)] {
            views.note(viewer, bob, hour);
        }
        assert_eq!(views.unwritten, HashMap::from([(bob, 3)]));
        views.note(bob, pia, 8);
        assert_eq!(views.unwritten.get(&pia), Some(&1));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut views = ProfileViews::default();
        for number in 1..=200_000 {
            views.note(person(number), person(0), 7);
        }
        assert_eq!(views.counted.len(), MOST_PAIRS);
        views.note(person(1), person(0), 8);
        assert_eq!(views.counted.len(), 1);
    }

    async fn somebody(services: &Services, email: &str) -> UserId {
        let email = EmailAddress::parse(email).unwrap();
        let password = Password::parse("SecurePass123").unwrap();
        let client = Client::local("test");
        let made = services.create_admin(email, password, &client).await;
        made.unwrap().id
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn views_reach_the_row_once_and_leave_the_version() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/usher.db", folder.path().display());
        let data = folder.path().display().to_string();
        let config = Config::for_tests(&[("DATABASE_URL", &url), ("DATA_DIR", &data)]).unwrap();
        let means = Means {
            bus: None,
            clock: Clock::hand_wound("2026-01-05T12:00:00Z".parse().unwrap()),
            entropy: Entropy::seeded(1),
            ..Means::default()
        };
        let services = services(&config, means, true).await.unwrap();
        let bob = somebody(&services, "bob@example.com").await;
        let pia = somebody(&services, "pia@example.com").await;
        services.note_profile_view(pia, bob);
        services.note_profile_view(pia, bob);
        services.note_profile_view(person(1), bob);
        services.note_profile_view(pia, person(2));
        assert_eq!(services.unwritten_profile_views(bob), 2);
        for _ in 0..2 {
            services.flush_profile_views().await.unwrap();
            let db = services.store.reader();
            let counters = stats::get_counters(db, bob).await.unwrap();
            assert_eq!(counters.profile_views, 2);
            assert_eq!(services.unwritten_profile_views(bob), 0);
        }
        let bob = crate::storage::users::find_user(services.store.reader(), bob).await;
        assert_eq!(bob.unwrap().unwrap().version, 1);
    }
}
