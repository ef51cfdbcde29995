//! Confirming an address: what a mailed link does, how often and for how long, and what asking for another one tells.

mod confusion;
mod decline;
mod links;
mod pages;
mod requests;
mod used;

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    people::{BOB, CAROL},
};
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

const VERIFY: &str = "/api/v1/auth/verify-email";
const REQUEST: &str = "/api/v1/auth/verify-email-request";

async fn verify(app: &TestApp, token: &str) -> Reply {
    app.post(VERIFY, json!({ "token": token })).await
}

/// The new account of an address with the token mailed to it.
async fn signed_up(app: &TestApp, email: &str) -> String {
    app.sign_up(email).await;
    app.last_token_to(email).await
}

/// Whether somebody's address is confirmed: the only pending account decides.
async fn pending(app: &TestApp) -> i64 {
    app.db
        .number("SELECT count(*) FROM users WHERE status = 'pending' AND verified_at IS NULL")
        .await
}

async fn sessions(app: &TestApp) -> i64 {
    app.db.number("SELECT count(*) FROM user_sessions").await
}

#[tokio::test(flavor = "multi_thread")]
async fn v7_6_2_a_link_confirms_the_address_and_signs_nobody_in() {
    let app = TestApp::start().await;
    let token = signed_up(&app, BOB).await;
    app.advance(TimeDelta::minutes(5));
    let reply = verify(&app, &token).await.expect(200);
    assert_eq!(reply.header("set-cookie"), "");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(sessions(&app).await, 0);
    let mut body = reply.body.clone();
    body["user"].as_object_mut().unwrap().remove("_links");
    insta::assert_json_snapshot!(body, { ".user.id" => "[id]" }, @r#"
    {
      "already_verified": false,
      "message": "Your e-mail address is confirmed.",
      "user": {
        "avatar_url": null,
        "country": null,
        "created_at": "2026-01-05T12:00:00Z",
        "current_title": null,
        "email": "bob@example.com",
        "full_name": null,
        "id": "[id]",
        "is_active": true,
        "is_premium": false,
        "is_terminated": false,
        "is_verified": true,
        "last_login_at": null,
        "locale": null,
        "location": null,
        "roles": [
          "user"
        ],
        "state_province": null,
        "status": "active",
        "tier": "basic",
        "timezone": null,
        "updated_at": "2026-01-05T12:05:00Z",
        "username": null,
        "version": 2
      }
    }
    "#);
    assert_eq!(app.audit().await.last().unwrap(), "verify_email success");
    assert_eq!(app.events().await.last().unwrap(), "user.verified");
    app.sign_in(BOB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_link_is_harmless_until_it_expires() {
    let app = TestApp::start().await;
    let token = signed_up(&app, BOB).await;
    let first = verify(&app, &token).await.expect(200);
    assert_eq!(first.body["already_verified"], false);
    app.advance(TimeDelta::hours(24) - TimeDelta::microseconds(1));
    let again = verify(&app, &token).await.expect(200);
    assert_eq!(again.body["already_verified"], true);
    assert_eq!(again.body["user"]["version"], first.body["user"]["version"]);
    app.advance(TimeDelta::microseconds(1));
    verify(&app, &token)
        .await
        .expect_problem(410, "token_expired");
    let events = app.events().await;
    assert_eq!(
        events
            .iter()
            .filter(|event| *event == "user.verified")
            .count(),
        1
    );
    app.sign_in(BOB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_link_works_to_its_last_moment_and_not_longer() {
    let app = TestApp::start().await;
    let bob = signed_up(&app, BOB).await;
    app.advance(TimeDelta::microseconds(1));
    let carol = signed_up(&app, CAROL).await;
    app.advance(TimeDelta::hours(24) - TimeDelta::microseconds(1));
    verify(&app, &bob)
        .await
        .expect_problem(410, "token_expired");
    assert_eq!(app.audit().await.last().unwrap(), "verify_email refused");
    assert_eq!(pending(&app).await, 2);
    verify(&app, &carol).await.expect(200);
    assert_eq!(pending(&app).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_mail_voids_the_earlier_link() {
    let app = TestApp::start().await;
    let first = signed_up(&app, BOB).await;
    for path in [REQUEST, "/auth/resend-verification"] {
        app.post(path, json!({ "email": BOB })).await.expect(202);
        // Mails of one round leave side by side, so each gets a round of its own.
        app.inbox().await;
    }
    let newest = app.last_token_to(BOB).await;
    assert_eq!(app.mails_to(BOB).await.len(), 3);
    assert_ne!(newest, first);
    verify(&app, &first)
        .await
        .expect_problem(410, "token_expired");
    assert_eq!(pending(&app).await, 1);
    verify(&app, &newest).await.expect(200);
    app.post(REQUEST, json!({ "email": BOB })).await.expect(202);
    assert_eq!(
        app.mails_to(BOB).await.len(),
        3,
        "nothing is left to confirm"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_of_ours_opens_nothing() {
    let app = TestApp::start().await;
    let token = signed_up(&app, BOB).await;
    let mut other = token.clone();
    other.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
    let doubled = format!("{token}{token}");
    for wrong in [
        other.as_str(),
        "x",
        &token[1..],
        &doubled,
        "' OR 1=1 --",
        " ",
        "\u{1f991}",
    ] {
        verify(&app, wrong)
            .await
            .expect_problem(400, "token_invalid");
        let query = url::form_urlencoded::byte_serialize(wrong.as_bytes()).collect::<String>();
        let reply = app.get(&format!("/verify-email?token={query}")).await;
        reply.expect_problem(400, "token_invalid");
    }
    for missing in [json!({}), json!({ "token": null })] {
        let reply = app.post(VERIFY, missing).await;
        assert_eq!(reply.violations(), ["token: required"]);
    }
    app.get("/verify-email")
        .await
        .expect_problem(422, "validation_failed");
    let twice = format!("/verify-email?token={token}&token={other}");
    let status = app.get(&twice).await.status;
    assert!(matches!(status, 400 | 422), "{status}");
    assert_eq!(pending(&app).await, 1);
    verify(&app, &token).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_clicks_at_once_one_confirms_and_the_others_are_harmless() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.start_node(2, &[]).await);
    let token = signed_up(&app, BOB).await;
    let barrier = Arc::new(Barrier::new(20));
    let mut racing = JoinSet::new();
    for at in 0..20 {
        let node = Arc::clone(if at % 2 == 0 { &app } else { &other });
        let (barrier, token) = (Arc::clone(&barrier), token.clone());
        racing.spawn(async move {
            barrier.wait().await;
            let reply = verify(&node, &token).await.expect(200);
            reply.body["already_verified"] == json!(false)
        });
    }
    let firsts = racing.join_all().await;
    assert_eq!(firsts.iter().filter(|first| **first).count(), 1);
    let events = app.events().await;
    assert_eq!(
        events
            .iter()
            .filter(|event| *event == "user.verified")
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_in_the_mail_goes_where_the_setting_says() {
    let url = "https://app.example.com/welcome/{token}?from=mail";
    let app = TestApp::start_with(&[("VERIFY_URL", url)]).await;
    app.sign_up(BOB).await;
    let mail = app.mails_to(BOB).await.pop().unwrap();
    let (_, rest) = mail
        .text
        .split_once("https://app.example.com/welcome/")
        .unwrap();
    let (token, _) = rest.split_once("?from=mail").unwrap();
    assert!(mail.html.contains(&format!(
        "https://app.example.com/welcome/{token}?from=mail"
    )));
    verify(&app, token).await.expect(200);
}
