//! Declining an account that somebody else has opened with one's address (Z13).

use super::{BOB, PASSWORD, VERIFY, signed_up};
use crate::support::{
    Reply, TestApp,
    at_once::{count, post_at_once},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;

const DECLINE: &str = "/api/v1/auth/verify-email/decline";

async fn people(app: &TestApp) -> [i64; 2] {
    [
        app.db.number("SELECT count(*) FROM users").await,
        app.db.number("SELECT count(*) FROM user_keys").await,
    ]
}

async fn open(app: &TestApp, token: &str) -> Reply {
    let request = app.request(Method::GET, &format!("/verify-email?token={token}"));
    request.header("accept", "text/html").send().await
}

async fn submit(app: &TestApp, token: &str, site: &str) -> Reply {
    app.request(Method::POST, "/verify-email/decline")
        .header("sec-fetch-site", site)
        .form(&[("token", token)])
        .send()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn z13_who_declines_a_strangers_sign_up_erases_it_with_everything_in_it() {
    let app = TestApp::start_with(&[("REQUIRE_EMAIL_VERIFICATION", "false")]).await;
    let before = people(&app).await;
    let planted =
        json!({ "email": BOB, "password": PASSWORD, "username": "eve", "full_name": "Eve" });
    app.post("/api/v1/auth/register", planted).await.expect(201);
    let token = app.last_token_to(BOB).await;
    let eve = app.sign_in(BOB).await;
    let request = app.request(Method::POST, DECLINE);
    let request = request.header("x-request-id", "declined");
    let reply = request.json(json!({ "token": token })).send().await;
    insta::assert_json_snapshot!(reply.expect(200).body, @r#"
    {
      "message": "The account that was opened with your e-mail address is erased."
    }
    "#);
    assert_eq!(people(&app).await, before);
    for table in ["credentials", "user_sessions", "known_devices"] {
        let left = format!("SELECT count(*) FROM {table}");
        let ada = i64::from(table == "credentials");
        assert_eq!(app.db.number(&left).await, ada, "{table}");
    }
    let trail = "SELECT action || ' ' || outcome || ' by ' || actor_type FROM audit_log
        WHERE request_id = 'declined' AND subject_id IS NOT NULL AND key_owner IS NULL AND ip_sealed IS NOT NULL";
    assert_eq!(
        app.db.texts(trail).await,
        ["decline_email_verification success by anonymous"]
    );
    assert_eq!(app.events().await.last().unwrap(), "user.deleted");

    app.get_as(&eve.access, "/api/v1/users/me")
        .await
        .expect_problem(401, "session_ended");
    let refresh = json!({ "refresh_token": eve.refresh });
    app.post("/api/v1/auth/refresh", refresh).await.expect(401);
    let login = json!({ "email": BOB, "password": PASSWORD });
    app.post("/api/v1/auth/login", login).await.expect(401);
    for path in [VERIFY, DECLINE] {
        app.post(path, json!({ "token": token }))
            .await
            .expect_problem(400, "token_invalid");
    }
    let own = json!({ "email": BOB, "password": PASSWORD, "username": "eve" });
    app.post("/api/v1/auth/register", own).await.expect(201);
    app.verify(BOB).await;
    app.sign_in(BOB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn z13_the_page_behind_the_link_tells_of_the_account_and_lets_one_decline_it() {
    let app = TestApp::start().await;
    let before = people(&app).await;
    let token = signed_up(&app, BOB).await;
    let mail = app.mails_to(BOB).await.pop().unwrap();
    for part in [&mail.text, &mail.html] {
        assert!(part.contains("It was not me"), "{part}");
    }
    app.advance(TimeDelta::hours(1));
    let page = open(&app, &token).await.expect(200);
    assert!(
        page.text.contains(
            "<strong>bob@example.com</strong> was opened here on 5 January 2026, 12:00 UTC"
        ),
        "{}",
        page.text
    );
    assert!(page.text.contains(r#"action="/verify-email/decline""#));
    submit(&app, &token, "cross-site").await.expect(403);
    assert_ne!(people(&app).await, before);
    let done = submit(&app, &token, "same-origin").await.expect(200);
    assert!(done.text.contains("The account is erased"), "{}", done.text);
    assert_eq!(people(&app).await, before);
    let again = submit(&app, &token, "same-origin").await.expect(400);
    assert!(again.text.contains("This link does not work"));
    let page = open(&app, &token).await.expect(200);
    assert!(!page.text.contains("It was not me") && !page.text.contains(BOB));
}

#[tokio::test(flavor = "multi_thread")]
async fn z13_only_an_open_link_of_a_never_confirmed_account_declines_it() {
    let app = TestApp::start().await;
    let token = signed_up(&app, BOB).await;
    for unknown in ["A".repeat(43), "short".to_owned()] {
        app.post(DECLINE, json!({ "token": unknown }))
            .await
            .expect_problem(400, "token_invalid");
    }
    let missing = app.post(DECLINE, json!({})).await;
    assert_eq!(missing.violations(), ["token: required"]);
    let shown = json!({ "token": token });
    app.advance(TimeDelta::hours(24));
    app.post(DECLINE, shown)
        .await
        .expect_problem(410, "token_expired");
    let again = json!({ "email": BOB });
    app.post("/api/v1/auth/verify-email-request", again)
        .await
        .expect(202);
    app.verify(BOB).await;
    let shown = json!({ "token": app.last_token_to(BOB).await });
    app.post(DECLINE, shown)
        .await
        .expect_problem(410, "token_used");
    app.sign_in(BOB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn z13_of_confirming_and_declining_at_once_one_wins() {
    let app = Arc::new(TestApp::start().await);
    let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
    for round in 0..8 {
        let email = format!("bob{round}@example.com");
        let shown = json!({ "token": signed_up(&app, &email).await });
        let mut posts = vec![(None, VERIFY, shown.clone()), (None, DECLINE, shown)];
        if round % 2 == 0 {
            posts.reverse();
        }
        let mut replies = post_at_once(&nodes, posts).await;
        if round % 2 == 0 {
            replies.reverse();
        }
        assert_eq!(count(&replies, 200), 1, "{replies:?}");
        let login = json!({ "email": email, "password": PASSWORD });
        let login = app.post("/api/v1/auth/login", login).await.status;
        match (replies[0].status, replies[1].status) {
            (200, 410) => assert_eq!(login, 200, "confirmed"),
            (400, 200) => assert_eq!(login, 401, "declined"),
            other => panic!("{other:?}: {replies:?}"),
        }
    }
}
