//! Mails that are asked for by address: what asking leaves behind, and who looks into it, when and how often.

mod limits;

use crate::support::{
    TestApp,
    app::PASSWORD,
    people::{BOB, CAROL},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;
use std::collections::BTreeMap;

const RESET: &str = "/api/v1/auth/password-reset-request";
const VERIFY: &str = "/api/v1/auth/verify-email-request";
const WAITING: &str = "SELECT count(*) FROM mail_requests";

/// How many rows each table has.
pub async fn rows(app: &TestApp) -> BTreeMap<String, i64> {
    let tables = if app.db.is_postgres() {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    };
    let mut rows = BTreeMap::new();
    for table in app.db.texts(tables).await {
        let count = app
            .db
            .number(&format!("SELECT count(*) FROM {table}"))
            .await;
        rows.insert(table, count);
    }
    rows
}

/// `action outcome` of the requests that were looked into; looks into nothing itself.
async fn trail(app: &TestApp) -> Vec<String> {
    let sql = "SELECT action || ' ' || outcome FROM audit_log WHERE action LIKE 'request_%' ORDER BY at, id";
    app.db.texts(sql).await
}

async fn ask(app: &TestApp, path: &str, email: &str) {
    app.post(path, json!({ "email": email })).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn e4_asking_writes_the_same_one_row_for_every_address() {
    let app = TestApp::start().await;
    app.bob().await;
    app.carol().await;
    app.inbox().await;
    let mut before = rows(&app).await;
    assert!(before.len() > 20, "{before:?}");
    for path in [RESET, VERIFY, "/forgot-password", "/resend-verification"] {
        for email in [BOB, CAROL, "nobody@example.com"] {
            let request = app.request(Method::POST, path);
            let request = if path.starts_with("/api") {
                request.json(json!({ "email": email }))
            } else {
                request.form(&[("email", email)])
            };
            let request = request.header("sec-fetch-site", "same-origin");
            request.send().await.expect(202);
            *before.get_mut("mail_requests").unwrap() += 1;
            assert_eq!(rows(&app).await, before, "{path} for {email}");
        }
    }
    let same = "SELECT count(*) FROM (SELECT DISTINCT kind, length(origin_sealed), taken_at FROM mail_requests) AS forms";
    assert_eq!(app.db.number(same).await, 2, "one form of each kind");
    assert_eq!(trail(&app).await, Vec::<String>::new());
    app.catch_up().await;
    let after = rows(&app).await;
    assert_eq!(after["mail_requests"], 0);
    assert_eq!(after["audit_log"], before["audit_log"] + 12);
    assert_eq!(after["outbox_mails"], before["outbox_mails"] + 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_tells_from_where_it_was_asked_whoever_looks_into_it() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let request = app.request(Method::POST, RESET).from("203.0.113.9");
    let request = request.header("user-agent", "Canary/1.0");
    let request = request.header("x-request-id", "asked-then");
    let body = json!({ "email": BOB });
    request.json(body).send().await.expect(202);
    app.advance(TimeDelta::minutes(5));
    let other = app.start_node(2, &[]).await;
    other.catch_up().await;
    let export = app.get_as(&bob.access, "/api/v1/users/me/export").await;
    let activity = export.expect(200).body["activity"].clone();
    let mut entries = activity.as_array().unwrap().iter();
    let entry = entries.find(|entry| entry["action"] == "request_password_reset");
    let entry = entry.unwrap();
    assert_eq!(entry["ip"], "203.0.113.9");
    assert_eq!(entry["user_agent"], "Canary/1.0");
    for table in ["audit_log", "outbox_events"] {
        let sql = format!("SELECT count(*) FROM {table} WHERE request_id = 'asked-then'");
        assert_eq!(app.db.number(&sql).await, 1, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_account_is_when_somebody_looks_decides() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.inbox().await;
    ask(&app, RESET, BOB).await;
    let end = json!({ "password": PASSWORD, "confirm": true });
    app.post_as(&bob.access, "/terminate", end)
        .await
        .expect(204);
    ask(&app, VERIFY, CAROL).await;
    app.carol().await;
    app.catch_up().await;
    let wanted = [
        "request_password_reset refused",
        "request_email_verification success",
    ];
    assert_eq!(trail(&app).await, wanted);
    let to = "SELECT template FROM outbox_mails WHERE status = 'pending' ORDER BY created_at, id";
    let wanted = ["account_terminated", "verify_email", "verify_email"];
    assert_eq!(app.db.texts(to).await, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_what_a_dead_worker_had_taken_is_taken_again_after_half_a_minute_and_not_before() {
    let app = TestApp::start().await;
    app.bob().await;
    ask(&app, RESET, BOB).await;
    app.db
        .execute("UPDATE mail_requests SET taken_at = created_at")
        .await;
    app.advance(TimeDelta::seconds(30) - TimeDelta::microseconds(1));
    app.catch_up().await;
    assert_eq!(app.db.number(WAITING).await, 1);
    app.advance(TimeDelta::microseconds(1));
    app.catch_up().await;
    assert_eq!(app.db.number(WAITING).await, 0);
    assert_eq!(trail(&app).await, ["request_password_reset success"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_fails_half_way_leaves_nothing_and_is_answered_later() {
    let app = TestApp::start().await;
    app.bob().await;
    app.inbox().await;
    let mut before = rows(&app).await;
    *before.get_mut("mail_requests").unwrap() += 1;
    ask(&app, RESET, BOB).await;
    for table in ["outbox_mails", "outbox_events", "password_resets"] {
        let aside = format!("ALTER TABLE {table} RENAME TO set_aside");
        app.db.execute(&aside).await;
        app.catch_up().await;
        let back = format!("ALTER TABLE set_aside RENAME TO {table}");
        app.db.execute(&back).await;
        assert_eq!(rows(&app).await, before, "{table}");
        app.advance(TimeDelta::seconds(30));
    }
    assert!(!app.logs.text().contains(BOB));
    app.catch_up().await;
    assert_eq!(app.db.number(WAITING).await, 0);
    assert_eq!(trail(&app).await, ["request_password_reset success"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_can_never_be_answered_holds_no_other_up_and_is_forgotten_after_thirty_days() {
    let app = TestApp::start().await;
    app.bob().await;
    for _ in 0..25 {
        ask(&app, RESET, "nobody@example.com").await;
    }
    app.db
        .execute("UPDATE mail_requests SET email_sealed = origin_sealed")
        .await;
    ask(&app, RESET, BOB).await;
    app.catch_up().await;
    assert_eq!(app.db.number(WAITING).await, 25);
    assert_eq!(trail(&app).await, ["request_password_reset success"]);
    app.advance(TimeDelta::days(30));
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(app.db.number(WAITING).await, 25);
    app.advance(TimeDelta::seconds(1));
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(app.db.number(WAITING).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_workers_on_two_nodes_one_answers_each_request() {
    let app = TestApp::start().await;
    let other = app.start_node(2, &[]).await;
    app.bob().await;
    for _ in 0..50 {
        ask(&app, RESET, BOB).await;
    }
    let barrier = tokio::sync::Barrier::new(4);
    let work = async |node: &TestApp| {
        barrier.wait().await;
        node.catch_up().await;
    };
    tokio::join!(work(&app), work(&other), work(&app), work(&other));
    assert_eq!(app.db.number(WAITING).await, 0);
    for table in [
        "password_resets",
        "outbox_mails WHERE template = 'password_reset'",
        "audit_log WHERE action = 'request_password_reset'",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        assert_eq!(app.db.number(&sql).await, 50, "{table}");
    }
}
