//! Whoever asks for more mails than may be asked for from one place is answered as ever, and no mail goes.

use super::{RESET, VERIFY, WAITING, ask, rows};
use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    people::{BOB, CAROL},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

/// Sends it to a path of the API or to a page.
async fn ask_by(app: &TestApp, path: &str, email: &str, key: Option<&str>) -> Reply {
    let request = app.request(Method::POST, path);
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request.header("sec-fetch-site", "same-origin"),
    };
    if path.starts_with("/forgot") || path.starts_with("/resend") {
        return request.form(&[("email", email)]).send().await;
    }
    request.json(json!({ "email": email })).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_past_the_limit_of_a_source_the_answer_stays_and_the_mail_does_not_go() {
    let app = TestApp::start_with(&[("RATE_LIMIT_MAIL", "2/10m")]).await;
    app.bob().await;
    app.carol().await;
    app.inbox().await;
    let first = ask_by(&app, RESET, BOB, None).await.expect(202);
    ask_by(&app, VERIFY, CAROL, None).await.expect(202);
    let before = rows(&app).await;
    let names = |reply: &Reply| {
        let mut names: Vec<_> = reply.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    for path in [
        RESET,
        VERIFY,
        "/auth/request-password-reset",
        "/password-reset-request",
        "/auth/resend-verification",
        "/forgot-password",
        "/resend-verification",
    ] {
        for email in [BOB, CAROL, "nobody@example.com"] {
            for key in [None, Some(path)] {
                let reply = ask_by(&app, path, email, key).await.expect(202);
                assert_eq!(reply.header("retry-after"), "");
                assert!(reply.header("ratelimit").starts_with("\"mail\";r=0;"));
                if path == RESET {
                    assert_eq!(reply.body, first.body);
                    assert_eq!(names(&reply), names(&first));
                }
            }
        }
        // What cannot be read is told as ever.
        let broken = ask_by(&app, path, "no address", None).await;
        assert_eq!(broken.status, 422, "{path}");
    }
    assert_eq!(rows(&app).await, before, "a dropped request writes nothing");
    app.app.do_housekeeping().await.unwrap();
    let counted = "SELECT details FROM audit_log WHERE details LIKE '%rate_limited%' ORDER BY id";
    let counted = app.db.texts(counted).await;
    assert_eq!(counted.len(), 2, "one row for each kind: {counted:?}");
    // Elsewhere and later they go again.
    let neighbour = app.request(Method::POST, RESET).from("203.0.113.9");
    neighbour
        .json(json!({ "email": BOB }))
        .send()
        .await
        .expect(202);
    app.advance(TimeDelta::minutes(10));
    ask_by(&app, RESET, BOB, Some(RESET)).await.expect(202);
    app.catch_up().await;
    let sent = "SELECT count(*) FROM outbox_mails WHERE template = 'password_reset'";
    assert_eq!(app.db.number(sent).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_a_flood_is_answered_alike_and_sends_no_more_than_its_source_may() {
    let settings = [
        ("RATE_LIMIT_MAIL", "10/10m"),
        ("RATE_LIMIT_RECIPIENT", "3/1h"),
    ];
    let app = TestApp::start_with(&settings).await;
    app.bob().await;
    let before = app.inbox().await.len();
    for _ in 0..100 {
        ask(&app, RESET, BOB).await;
    }
    for n in 0..1_000 {
        ask(&app, RESET, &format!("nobody{n}@example.com")).await;
    }
    assert_eq!(app.db.number(WAITING).await, 10);
    assert_eq!(app.inbox().await.len() - before, 3);
    app.app.do_housekeeping().await.unwrap();
    let refused = "SELECT count(*) FROM audit_log WHERE details LIKE '%rate_limited%' AND details LIKE '%count%'";
    assert_eq!(app.db.number(refused).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn t8_mails_that_strangers_cause_are_bounded_for_everybody_together() {
    let app = TestApp::start_with(&[("RATE_LIMIT_MAIL_TOTAL", "2/1h")]).await;
    let people = [BOB, "p1@example.com", "p2@example.com"];
    app.bob().await;
    for email in &people[1..] {
        let form = json!({ "email": email, "password": PASSWORD });
        app.post("/api/v1/auth/register", form).await.expect(201);
    }
    let before = app.inbox().await.len();
    for email in people {
        ask(&app, RESET, email).await;
    }
    // Addresses that nobody has use nothing up, and what the owners themselves do goes on.
    assert_eq!(app.inbox().await.len() - before, 2);
    let kept = "SELECT count(*) FROM audit_log WHERE details LIKE '%rate_limited%'";
    assert_eq!(app.db.number(kept).await, 1);
    app.advance(TimeDelta::hours(1));
    ask(&app, RESET, people[2]).await;
    assert_eq!(app.inbox().await.len() - before, 3);
}
