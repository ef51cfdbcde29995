//! All or nothing: a sign-up that fails on its way leaves no row behind.

use super::{REGISTER, form};
use crate::support::{TestApp, people::BOB};
use serde_json::json;

/// Every table that a sign-up writes.
const TABLES: [&str; 9] = [
    "user_keys",
    "users",
    "user_roles",
    "search_documents",
    "credentials",
    "audit_log",
    "outbox_events",
    "email_verifications",
    "outbox_mails",
];

async fn rows(app: &TestApp) -> Vec<i64> {
    let mut rows = Vec::new();
    for table in TABLES {
        rows.push(
            app.db
                .number(&format!("SELECT count(*) FROM {table}"))
                .await,
        );
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn v2_3_3_a_sign_up_that_fails_half_way_leaves_nothing() {
    let app = TestApp::start().await;
    app.expect_errors();
    app.inbox().await;
    let before = rows(&app).await;
    for table in TABLES {
        app.db
            .execute(&format!("ALTER TABLE {table} RENAME TO set_aside"))
            .await;
        let reply = app.post(REGISTER, form(BOB, &json!({}))).await;
        app.db
            .execute(&format!("ALTER TABLE set_aside RENAME TO {table}"))
            .await;
        let problem = reply.expect_problem(500, "internal");
        assert!(!problem.text.contains(table), "{}", problem.text);
        assert_eq!(rows(&app).await, before, "{table}");
    }
    app.post(REGISTER, form(BOB, &json!({}))).await.expect(201);
    let after = rows(&app).await;
    let grown = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| after > before);
    assert_eq!(
        grown.count(),
        TABLES.len(),
        "each table gains a row: {after:?}"
    );
    assert!(app.inbox().await.iter().any(|mail| mail.to == BOB));
}
