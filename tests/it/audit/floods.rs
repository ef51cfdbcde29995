//! Floods of refused attempts: counted, and bounded on disk.

use crate::support::{TestApp, people::BOB};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

/// A wrong password from this address; the status.
async fn guess(app: &TestApp, from: &str) -> u16 {
    let form = json!({ "email": BOB, "password": "WrongPass123" });
    let request = app.request(Method::POST, "/api/v1/auth/login").json(form);
    request.from(from).send().await.status
}

/// The details of the rows that stand for many.
async fn counted(app: &TestApp) -> Vec<u64> {
    app.app.do_housekeeping().await.unwrap();
    let sql = "SELECT details FROM audit_log WHERE outcome = 'refused' ORDER BY at, id";
    let rows = app.db.texts(sql).await;
    let mut counts: Vec<u64> = rows
        .iter()
        .map(|row| {
            let details: Value = serde_json::from_str(row).unwrap();
            assert_eq!(details["code"], "rate_limited");
            details["count"].as_u64().unwrap()
        })
        .collect();
    counts.sort_unstable();
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn d16_a_flood_from_one_source_becomes_one_row_with_its_count() {
    let app = TestApp::start_with(&[("RATE_LIMIT_LOGIN", "5/1m")]).await;
    app.sign_up(BOB).await;
    let before = app.audit().await.len();
    for _ in 0..300 {
        guess(&app, "198.51.100.1").await;
    }
    for _ in 0..7 {
        guess(&app, "198.51.100.2").await;
    }
    app.catch_up().await;
    let failed = "SELECT count(*) FROM audit_log WHERE outcome = 'failed'";
    assert_eq!(app.db.number(failed).await, 10, "five tries of each source");
    assert_eq!(counted(&app).await, [2, 295]);
    assert_eq!(app.audit().await.len(), before + 12);
    app.advance(TimeDelta::minutes(1));
    for _ in 0..6 {
        guess(&app, "198.51.100.1").await;
    }
    assert_eq!(counted(&app).await, [1, 2, 295]);
    assert_eq!(counted(&app).await, [1, 2, 295], "nothing is counted twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn d16_counted_attempts_outlast_a_database_that_does_not_answer() {
    let app = TestApp::start_with(&[("RATE_LIMIT_LOGIN", "1/1m")]).await;
    app.sign_up(BOB).await;
    for _ in 0..3 {
        guess(&app, "198.51.100.1").await;
    }
    app.catch_up().await;
    app.db
        .execute("ALTER TABLE audit_log RENAME TO audit_log_away")
        .await;
    assert!(app.app.do_housekeeping().await.is_err());
    guess(&app, "198.51.100.1").await;
    app.db
        .execute("ALTER TABLE audit_log_away RENAME TO audit_log")
        .await;
    assert_eq!(counted(&app).await, [3]);
}
