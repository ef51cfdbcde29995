//! Resetting a forgotten password by a mailed link.

mod reclaim;
mod request;

use crate::support::{
    TestApp,
    app::PASSWORD,
    at_once::{count, post_at_once},
    people::BOB,
};
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;

const REQUEST: &str = "/api/v1/auth/password-reset-request";
const CONFIRM: &str = "/api/v1/auth/password-reset-confirm";
const NEW: &str = "AnotherPass456";

impl TestApp {
    /// Asks for a reset link and reads it.
    pub async fn reset_token(&self, email: &str) -> String {
        // Mails of one round arrive in any order, so the earlier ones go first.
        self.inbox().await;
        self.post(REQUEST, json!({ "email": email }))
            .await
            .expect(202);
        self.last_token_to(email).await
    }

    /// The status of a sign-in.
    pub async fn try_password(&self, email: &str, password: &str) -> u16 {
        let form = json!({ "email": email, "password": password });
        self.post("/api/v1/auth/login", form).await.status
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_link_sets_the_password_and_ends_all_sessions() {
    let app = TestApp::start().await;
    let (first, second) = (app.bob().await, app.sign_in(BOB).await);
    let token = app.reset_token(BOB).await;
    let body = json!({ "token": token, "new_password": NEW, "confirm_password": NEW });
    let reply = app.post(CONFIRM, body).await.expect(200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let message = "Your password is changed. Sign in with the new one.";
    assert_eq!(reply.body, json!({ "message": message }));

    for bob in [&first, &second] {
        app.get_as(&bob.access, "/api/v1/users/me")
            .await
            .expect_problem(401, "session_ended");
        let refresh = json!({ "refresh_token": bob.refresh });
        app.post("/api/v1/auth/refresh", refresh).await.expect(401);
    }
    assert_eq!(app.try_password(BOB, PASSWORD).await, 401);
    assert_eq!(app.try_password(BOB, NEW).await, 200);

    let audit = app.audit().await;
    let tail = audit[audit.len() - 6..].join(", ");
    assert_eq!(
        tail,
        "request_password_reset success, confirm_password_reset success, refresh refused, refresh refused, \
         login failed, login success"
    );
    let events = app.events().await;
    assert!(events.contains(&"user.password_reset.requested".to_owned()));
    assert!(events.contains(&"user.password_changed".to_owned()));
    let mails = app.mails_to(BOB).await;
    let mail = mails.last().unwrap();
    assert_eq!(mail.subject, "Your password for usher.test was changed");
    assert!(mail.text.contains("5 January 2026, 12:00 UTC"));
    assert!(mail.text.contains("\nhttp://usher.test/forgot-password\n"));
    let logs = app.logs.text();
    for secret in [token.as_str(), NEW, PASSWORD, BOB] {
        assert!(!logs.contains(secret), "the log tells {secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v6_1_2_a_new_password_is_not_made_of_who_one_is() {
    let app = TestApp::start().await;
    let form = json!({
        "email": "grace.hopper@example.com", "password": PASSWORD, "username": "amazing", "full_name": "Grace Brewster",
    });
    app.post("/api/v1/auth/register", form).await.expect(201);
    app.verify("grace.hopper@example.com").await;
    let token = app.reset_token("grace.hopper@example.com").await;
    for password in [
        "Usher-2026",
        "Grace.Hopper1",
        "Amazing-2026",
        "GraceBrewster1",
    ] {
        let body = json!({ "token": token, "new_password": password });
        let told = app.post(CONFIRM, body).await.violations();
        assert_eq!(told, ["new_password: password_context"], "{password}");
    }
    let body = json!({ "token": token, "new_password": NEW });
    app.post(CONFIRM, body).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_path_takes_a_reset() {
    let app = TestApp::start().await;
    app.bob().await;
    for (request, confirm, password) in [
        (
            "/password-reset-request",
            "/password-reset",
            "Blue-Lamp-Forest-7",
        ),
        (
            "/auth/request-password-reset",
            "/auth/reset-password",
            "Grey-Kettle-Ocean-8",
        ),
    ] {
        app.post(request, json!({ "email": BOB })).await.expect(202);
        let token = app.last_token_to(BOB).await;
        let body = json!({ "token": token, "new_password": password });
        app.post(confirm, body).await.expect(200);
        assert_eq!(app.try_password(BOB, password).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_a_used_reset_link_is_refused_also_after_its_time() {
    let app = TestApp::start().await;
    app.bob().await;
    let token = app.reset_token(BOB).await;
    let body = |password: &str| json!({ "token": token, "new_password": password });
    app.post(CONFIRM, body(NEW)).await.expect(200);
    app.post(CONFIRM, body("ThirdPass789"))
        .await
        .expect_problem(410, "token_used");
    app.advance(TimeDelta::hours(2));
    app.post(CONFIRM, body("ThirdPass789"))
        .await
        .expect_problem(410, "token_used");
    assert_eq!(app.try_password(BOB, NEW).await, 200);
    let audit = app.audit().await;
    let refused = audit
        .iter()
        .filter(|e| *e == "confirm_password_reset refused");
    assert_eq!(refused.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_of_twenty_uses_at_once_exactly_one_succeeds() {
    let app = Arc::new(TestApp::start().await);
    let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
    app.bob().await;
    let token = app.reset_token(BOB).await;
    let password = |place: usize| format!("ParallelPass{place:02}");
    let posts = (0..20)
        .map(|place| {
            let body = json!({ "token": token, "new_password": password(place) });
            (None, CONFIRM, body)
        })
        .collect();
    let replies = post_at_once(&nodes, posts).await;
    assert_eq!((count(&replies, 200), count(&replies, 410)), (1, 19));
    let winner = replies
        .iter()
        .position(|reply| reply.status == 200)
        .unwrap();
    for (place, reply) in replies.into_iter().enumerate() {
        if place != winner {
            reply.expect_problem(410, "token_used");
        }
    }
    assert_eq!(app.try_password(BOB, &password(winner)).await, 200);
    let loser = (winner + 1) % 20;
    assert_eq!(app.try_password(BOB, &password(loser)).await, 401);
    let events = app.events().await;
    let changed = events.iter().filter(|e| *e == "user.password_changed");
    assert_eq!(changed.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_link_works_to_its_last_second_and_not_after() {
    let app = TestApp::start().await;
    app.bob().await;
    let token = app.reset_token(BOB).await;
    let body = json!({ "token": token, "new_password": NEW });
    app.advance(TimeDelta::hours(1));
    app.post(CONFIRM, body)
        .await
        .expect_problem(410, "token_expired");
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);

    let token = app.reset_token(BOB).await;
    app.advance(TimeDelta::hours(1) - TimeDelta::seconds(1));
    let body = json!({ "token": token, "new_password": NEW });
    app.post(CONFIRM, body).await.expect(200);
    assert_eq!(app.try_password(BOB, NEW).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_mail_voids_the_earlier_reset_link() {
    let app = TestApp::start().await;
    app.bob().await;
    let (earlier, newer) = (app.reset_token(BOB).await, app.reset_token(BOB).await);
    assert_ne!(earlier, newer);
    let body = |token: &str| json!({ "token": token, "new_password": NEW });
    app.post(CONFIRM, body(&earlier))
        .await
        .expect_problem(410, "token_expired");
    app.post(CONFIRM, body(&newer)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_new_password_leaves_the_reset_link_open() {
    let app = TestApp::start().await;
    app.bob().await;
    let token = app.reset_token(BOB).await;
    for (body, broken) in [
        (json!({}), "new_password: required, token: required"),
        (
            json!({ "token": null, "new_password": null }),
            "new_password: required, token: required",
        ),
        (
            json!({ "token": token, "new_password": "Short1" }),
            "new_password: too_short",
        ),
        (
            json!({ "token": token, "new_password": "alllowercase" }),
            "new_password: password_weak",
        ),
        (
            json!({ "token": token, "new_password": "Password123" }),
            "new_password: password_blocklisted",
        ),
        (
            json!({ "token": token, "new_password": NEW, "confirm_password": "Other" }),
            "confirm_password: mismatch",
        ),
    ] {
        let reply = app.post(CONFIRM, body).await;
        assert_eq!(reply.violations().join(", "), broken, "{}", reply.text);
    }
    for token in ["x", "not-a-token", &"A".repeat(43), &"A".repeat(200)] {
        app.post(CONFIRM, json!({ "token": token, "new_password": NEW }))
            .await
            .expect_problem(400, "token_invalid");
    }
    let body = json!({ "token": token, "new_password": NEW });
    app.post(CONFIRM, body).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_unlocks_an_account_that_was_locked_by_guesses() {
    let app = TestApp::start().await;
    app.bob().await;
    app.db
        .execute("UPDATE credentials SET locked_at = '2026-01-05 11:00:00+00:00', failures = 100")
        .await;
    let elsewhere = "198.51.100.9";
    let sign_in = async |password: &str| {
        app.request(axum::http::Method::POST, "/api/v1/auth/login")
            .json(json!({ "email": BOB, "password": password }))
            .header("user-agent", "curl/8.0")
            .from(elsewhere)
            .send()
            .await
            .status
    };
    assert_eq!(sign_in(PASSWORD).await, 401);
    let token = app.reset_token(BOB).await;
    let body = json!({ "token": token, "new_password": NEW });
    app.post(CONFIRM, body).await.expect(200);
    assert_eq!(sign_in(NEW).await, 200);
}
