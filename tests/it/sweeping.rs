//! What is past its time for 30 days goes, of every kind, and what is not stays.

use crate::support::{TestApp, app::PASSWORD};
use chrono::TimeDelta;
use serde_json::json;

const TABLES: [&str; 8] = [
    "user_sessions",
    "tokens",
    "refresh_tokens",
    "email_verifications",
    "password_resets",
    "invitations",
    "email_changes",
    "outbox_mails",
];

impl TestApp {
    async fn rows(&self) -> [i64; 8] {
        let mut rows = [0; 8];
        for (count, table) in rows.iter_mut().zip(TABLES) {
            *count = self
                .db
                .number(&format!("SELECT count(*) FROM {table}"))
                .await;
        }
        rows
    }

    /// Leaves something in each of the tables.
    async fn come_and_go(&self, name: &str) {
        let bob = self.person(&format!("{name}@example.com")).await;
        let reset = json!({ "email": bob.email });
        self.post("/api/v1/auth/password-reset-request", reset)
            .await
            .expect(202);
        let change =
            json!({ "new_email": format!("new.{name}@example.com"), "password": PASSWORD });
        self.post_as(&bob.access, "/api/v1/auth/change-email", change)
            .await
            .expect(202);
        let invite = json!({ "email": format!("invited.{name}@example.com") });
        let ada = self.ada().await;
        self.post_as(&ada.access, "/api/v1/users", invite)
            .await
            .expect(201);
        let refresh = json!({ "refresh_token": bob.refresh });
        self.post("/api/v1/auth/refresh", refresh).await.expect(200);
        self.post_as(&bob.access, "/api/v1/auth/logout", json!({}))
            .await;
        self.inbox().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_days_after_its_time_every_kind_of_row_goes_and_not_before() {
    let app = TestApp::start().await;
    app.come_and_go("early").await;
    let early = app.rows().await;
    assert!(early.iter().all(|count| *count > 0), "{early:?}");
    app.advance(TimeDelta::days(20));
    app.come_and_go("late").await;
    let all = app.rows().await;
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(app.rows().await, all, "{TABLES:?}");
    app.advance(TimeDelta::days(19));
    app.app.do_housekeeping().await.unwrap();
    let late: Vec<_> = all
        .iter()
        .zip(early)
        .map(|(all, early)| all - early)
        .collect();
    assert!(late.iter().all(|count| *count > 0), "{late:?}");
    assert_eq!(app.rows().await[..], late[..], "{TABLES:?}");
}
