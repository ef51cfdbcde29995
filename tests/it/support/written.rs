//! What the service has written down: events and the audit trail, behind its back.

use super::TestApp;

impl TestApp {
    /// The types of all events, in order of writing.
    pub async fn events(&self) -> Vec<String> {
        self.catch_up().await;
        self.db
            .texts("SELECT type FROM outbox_events ORDER BY occurred_at, id")
            .await
    }

    /// `action outcome` of all audit entries, in order of writing.
    pub async fn audit(&self) -> Vec<String> {
        self.catch_up().await;
        self.db
            .texts("SELECT action || ' ' || outcome FROM audit_log ORDER BY at, id")
            .await
    }
}
