//! Reads what a request has left in the trail and in the outbox, found by the id that it was sent with.

use crate::support::{TestApp, client::RequestBuilder, people::Person};
use axum::http::Method;
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};

/// A mailed token of the right form that nobody was sent.
pub const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Sends requests that can be found again.
pub struct Trail<'a> {
    app: &'a TestApp,
    sent: AtomicU32,
}

impl<'a> Trail<'a> {
    pub fn of(app: &'a TestApp) -> Self {
        Self {
            app,
            sent: AtomicU32::new(0),
        }
    }

    /// `POST` by nobody; a name without a slash is an operation under `/api/v1/auth`.
    pub async fn post(&self, path: &str, body: Value, expected: &str) {
        let request = self.app.request(Method::POST, &full(path)).json(body);
        self.leaves(path, request, expected).await;
    }

    /// `POST` by a person.
    pub async fn act(&self, who: &Person, path: &str, body: Value, expected: &str) {
        let request = self.app.request(Method::POST, &full(path)).json(body);
        self.leaves(path, request.bearer(&who.access), expected)
            .await;
    }

    /// `GET` by a person.
    pub async fn get(&self, who: &Person, path: &str, expected: &str) {
        let request = self.app.request(Method::GET, path).bearer(&who.access);
        self.leaves(path, request, expected).await;
    }

    /// `DELETE` by a person.
    pub async fn delete(&self, who: &Person, path: &str, expected: &str) {
        let request = self.app.request(Method::DELETE, path);
        self.leaves(path, request.bearer(&who.access), expected)
            .await;
    }

    /// The law: `status | rows of the trail | events`.
    async fn leaves(&self, what: &str, request: RequestBuilder<'_>, expected: &str) {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let id = format!("step-{number}");
        let reply = request.header("x-request-id", &id).send().await;
        self.app.catch_up().await;
        let rows = format!(
            "SELECT action || ' ' || outcome || ' by ' || actor_type FROM audit_log
             WHERE request_id = '{id}' ORDER BY at, id"
        );
        let events =
            format!("SELECT type FROM outbox_events WHERE request_id = '{id}' ORDER BY sequence");
        let rows = self.app.db.texts(&rows).await.join(", ");
        let events = self.app.db.texts(&events).await.join(" ");
        let left = format!("{} | {rows} | {events}", reply.status);
        assert_eq!(left, expected, "{what}: {}", reply.text);
    }

    /// Everybody's events are numbered from one without a gap, and every row says from where it came.
    pub async fn is_whole(&self) {
        let db = &self.app.db;
        let broken = "SELECT count(*) FROM (SELECT user_id FROM outbox_events GROUP BY user_id
            HAVING min(sequence) <> 1 OR max(sequence) <> count(*) OR count(DISTINCT sequence) <> count(*)) AS broken";
        assert_eq!(db.number(broken).await, 0, "events are numbered with gaps");
        let nowhere = "SELECT count(*) FROM audit_log WHERE actor_type <> 'system'
            AND (ip_sealed IS NULL OR ip_index IS NULL OR user_agent_sealed IS NULL OR request_id = '')";
        assert_eq!(db.number(nowhere).await, 0, "rows do not say from where");
        let unknown =
            "SELECT count(*) FROM audit_log WHERE actor_type = 'user' AND actor_id IS NULL";
        assert_eq!(db.number(unknown).await, 0, "rows do not say by whom");
        let late = "SELECT count(*) FROM outbox_events WHERE occurred_at > (SELECT max(at) FROM audit_log)";
        assert_eq!(db.number(late).await, 0, "an event has no row of its time");
    }
}

fn full(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/api/v1/auth/{path}")
    }
}
