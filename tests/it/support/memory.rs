//! What stands in a node's memory is compared with the database after each request of each test.

use super::TestApp;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

impl TestApp {
    /// What was done behind the service's back is known to it, and what other nodes did has come through to this one.
    pub(super) async fn learn_of_changes(&self) {
        let touches = self.db.touches();
        let is_touched = self.seen_touches.swap(touches, Ordering::SeqCst) != touches;
        if is_touched || self.is_one_of_many_on_sqlite() {
            self.app.forget_sessions();
        } else if Arc::strong_count(&self.db) > 1 && self.under_way.load(Ordering::SeqCst) == 0 {
            self.sessions_are_true().await;
        }
    }

    /// Only on PostgreSQL several nodes hear of one another; tests of races start them on SQLite, too.
    pub(super) fn is_one_of_many_on_sqlite(&self) -> bool {
        !self.db.is_postgres() && Arc::strong_count(&self.db) > 1
    }

    /// Fails unless what stands in memory is what the database says, as soon as what is under way has ended.
    pub async fn sessions_are_true(&self) {
        let mut untrue = Vec::new();
        for _ in 0..2_000 {
            let Ok(found) = self.app.untrue_sessions().await else {
                return;
            };
            untrue = found;
            if untrue.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("sessions in memory are not true: {untrue:#?}");
    }
}
