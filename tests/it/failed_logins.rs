//! Refused sign-ins: what the answer leaves behind, from when it counts, and who puts it on record, when and how often.

use crate::mail_requests::rows;
use crate::support::{
    TestApp,
    app::PASSWORD,
    at_once::{count, post_at_once},
    people::{BOB, CAROL},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;

const LOGIN: &str = "/api/v1/auth/login";
const WRONG: &str = "WrongPass123";
const WAITING: &str = "SELECT count(*) FROM failed_logins";

/// From a device that nobody has signed in on; the status.
async fn from_elsewhere(app: &TestApp, email: &str, password: &str) -> u16 {
    let request = app.request(Method::POST, LOGIN).from("203.0.113.9");
    let request = request.header("user-agent", "Canary/1.0");
    let form = json!({ "email": email, "password": password });
    request.json(form).send().await.status
}

/// `action outcome` of all that is on record; puts nothing there itself.
async fn trail(app: &TestApp) -> Vec<String> {
    let sql = "SELECT action || ' ' || outcome FROM audit_log WHERE action IN ('login', 'lock_account') ORDER BY at, id";
    app.db.texts(sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn e1_a_refused_sign_in_writes_the_same_one_row_for_everybody() {
    let app = TestApp::start().await;
    app.bob().await;
    app.carol().await;
    let gone = app.person("gone@example.com").await;
    let end = json!({ "password": PASSWORD, "confirm": true });
    app.post_as(&gone.access, "/terminate", end)
        .await
        .expect(204);
    app.inbox().await;
    let mut before = rows(&app).await;
    for (email, password) in [
        ("nobody@example.com", WRONG),
        (BOB, WRONG),
        (CAROL, WRONG),
        (&gone.email, WRONG),
        (&gone.email, PASSWORD),
        ("no.such.name", WRONG),
    ] {
        assert_eq!(from_elsewhere(&app, email, password).await, 401);
        *before.get_mut("failed_logins").unwrap() += 1;
        assert_eq!(rows(&app).await, before, "{email}");
    }
    let forms = "SELECT count(*) FROM (SELECT DISTINCT device_index, length(origin_sealed), taken_at FROM failed_logins) AS forms";
    assert_eq!(app.db.number(forms).await, 1, "one form for everybody");
    app.catch_up().await;
    let after = rows(&app).await;
    assert_eq!(after["failed_logins"], 0);
    assert_eq!(after["audit_log"], before["audit_log"] + 6);
    assert_eq!(after["outbox_events"], before["outbox_events"] + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_counts_before_it_is_on_record() {
    let app = TestApp::start_with(&[("MAX_LOGIN_FAILURES", "3")]).await;
    app.bob().await;
    app.catch_up().await;
    for password in [WRONG, WRONG, WRONG, PASSWORD] {
        assert_eq!(from_elsewhere(&app, BOB, password).await, 401);
    }
    assert_eq!(app.db.number(WAITING).await, 4, "somebody was faster");
    // A device that is known has a count of its own.
    let home = json!({ "email": BOB, "password": PASSWORD });
    app.post(LOGIN, home.clone()).await.expect(200);
    assert_eq!(app.db.number(WAITING).await, 0);
    let locked = trail(&app).await;
    let locked = locked
        .iter()
        .filter(|entry| *entry == "lock_account success");
    assert_eq!(locked.count(), 1);
    for _ in 0..3 {
        let wrong = json!({ "email": BOB, "password": WRONG });
        app.post(LOGIN, wrong).await.expect(401);
    }
    app.post(LOGIN, home).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_comes_after_the_failures_before_it_and_ends_their_row() {
    let app = TestApp::start_with(&[("MAX_LOGIN_FAILURES", "3")]).await;
    app.bob().await;
    let before = trail(&app).await.len();
    for _ in 0..3 {
        for password in [WRONG, WRONG] {
            assert_eq!(from_elsewhere(&app, BOB, password).await, 401);
        }
        assert_eq!(from_elsewhere(&app, BOB, PASSWORD).await, 200);
    }
    let mut wanted = Vec::new();
    for _ in 0..3 {
        wanted.extend(["login failed", "login failed", "login success"]);
    }
    assert_eq!(trail(&app).await.split_off(before), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_wrong_guesses_at_once_on_two_nodes_count_fifty_at_once() {
    let settings = [("MAX_LOGIN_FAILURES", "50"), ("HASH_QUEUE", "1000")];
    let app = Arc::new(TestApp::start_with(&settings).await);
    let other = Arc::new(app.start_node(2, &settings).await);
    let bob = app.bob().await;
    let forget = "DELETE FROM known_devices WHERE user_id = $id";
    app.set_in_users_table(BOB, &bob.id, forget).await;
    let wrong = json!({ "email": BOB, "password": WRONG });
    let nodes = [Arc::clone(&app), Arc::clone(&other)];
    let replies = post_at_once(&nodes, vec![(None, LOGIN, wrong); 50]).await;
    assert_eq!(count(&replies, 401), 50);
    assert_eq!(app.db.number(WAITING).await, 50);
    assert_eq!(from_elsewhere(&other, BOB, PASSWORD).await, 401);
    let recorded = async |node: &TestApp| node.catch_up().await;
    tokio::join!(recorded(&app), recorded(&other), recorded(&app));
    assert_eq!(app.db.number(WAITING).await, 0);
    let failures = "SELECT CAST(max(failures) AS bigint) FROM credentials";
    assert_eq!(app.db.number(failures).await, 51);
    let trail = trail(&app).await;
    let failed = trail.iter().filter(|entry| *entry == "login failed");
    assert_eq!(failed.count(), 51, "one entry for each");
    let locked = trail
        .iter()
        .filter(|entry| *entry == "lock_account success");
    assert_eq!(locked.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn f1_what_a_dead_worker_had_taken_is_taken_again_after_half_a_minute_and_not_before() {
    let app = TestApp::start().await;
    app.bob().await;
    assert_eq!(from_elsewhere(&app, BOB, WRONG).await, 401);
    app.db
        .execute("UPDATE failed_logins SET taken_at = created_at")
        .await;
    app.advance(TimeDelta::seconds(30) - TimeDelta::microseconds(1));
    app.catch_up().await;
    assert_eq!(app.db.number(WAITING).await, 1);
    app.advance(TimeDelta::microseconds(1));
    app.catch_up().await;
    assert_eq!(app.db.number(WAITING).await, 0);
    assert_eq!(trail(&app).await, ["login success", "login failed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_fails_to_be_recorded_leaves_nothing_and_still_counts() {
    let app = TestApp::start_with(&[("MAX_LOGIN_FAILURES", "1")]).await;
    app.bob().await;
    app.inbox().await;
    assert_eq!(from_elsewhere(&app, BOB, WRONG).await, 401);
    let before = rows(&app).await;
    for table in ["outbox_events", "audit_log", "outbox_mails"] {
        let aside = format!("ALTER TABLE {table} RENAME TO set_aside");
        app.db.execute(&aside).await;
        app.catch_up().await;
        let back = format!("ALTER TABLE set_aside RENAME TO {table}");
        app.db.execute(&back).await;
        assert_eq!(rows(&app).await, before, "{table}");
        app.advance(TimeDelta::seconds(30));
    }
    assert_eq!(from_elsewhere(&app, BOB, PASSWORD).await, 401);
    app.catch_up().await;
    let all = [
        "login success",
        "login failed",
        "lock_account success",
        "login failed",
    ];
    assert_eq!(trail(&app).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_who_is_erased_meanwhile_names_nobody() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    assert_eq!(from_elsewhere(&app, BOB, WRONG).await, 401);
    let path = format!("/api/v1/users/{}", bob.id);
    let erase = app.request(Method::DELETE, &path).bearer(&ada.access);
    erase.send().await.expect(204);
    app.catch_up().await;
    let named = "SELECT count(*) FROM audit_log WHERE action = 'login' AND outcome = 'failed' AND subject_id IS NOT NULL";
    assert_eq!(app.db.number(named).await, 0);
    assert_eq!(trail(&app).await.last().unwrap(), "login failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_can_never_be_recorded_holds_no_other_up_and_is_forgotten_after_thirty_days() {
    let app = TestApp::start().await;
    app.bob().await;
    for _ in 0..25 {
        assert_eq!(from_elsewhere(&app, "nobody@example.com", WRONG).await, 401);
    }
    let spoil =
        "UPDATE failed_logins SET origin_sealed = (SELECT device_index FROM known_devices LIMIT 1)";
    app.db.execute(spoil).await;
    assert_eq!(from_elsewhere(&app, BOB, WRONG).await, 401);
    app.catch_up().await;
    assert_eq!(app.db.number(WAITING).await, 25);
    assert_eq!(trail(&app).await, ["login success", "login failed"]);
    app.advance(TimeDelta::days(30) + TimeDelta::seconds(1));
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(app.db.number(WAITING).await, 0);
}
