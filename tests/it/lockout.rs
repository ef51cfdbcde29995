//! Too many wrong passwords: who is locked out, who is not, and what gets one in again.

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    at_once::{count, post_at_once},
    people::BOB,
};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;

const LOGIN: &str = "/api/v1/auth/login";
const WRONG: &str = "WrongPass123";
const REAUTHENTICATE: &str = "/api/v1/auth/reauthenticate";
const NEW: &str = "OtherPass4567";

/// From a device that nobody has signed in on.
async fn from_elsewhere(app: &TestApp, address: &str, password: &str) -> Reply {
    app.request(Method::POST, LOGIN)
        .header("user-agent", "python-requests/2.31")
        .from(address)
        .json(json!({ "email": BOB, "password": password }))
        .send()
        .await
}

/// From the device on which Bob has signed in.
async fn from_home(app: &TestApp, password: &str) -> Reply {
    app.post(LOGIN, json!({ "email": BOB, "password": password }))
        .await
}

async fn reset(app: &TestApp, password: &str) {
    app.post(
        "/api/v1/auth/password-reset-request",
        json!({ "email": BOB }),
    )
    .await
    .expect(202);
    let token = app.last_token_to(BOB).await;
    let form = json!({ "token": token, "new_password": password });
    app.post("/api/v1/auth/password-reset-confirm", form)
        .await
        .expect(200);
}

fn how_many(all: &[String], one: &str) -> usize {
    all.iter().filter(|each| *each == one).count()
}

impl TestApp {
    /// One entry and one mail say that a known device is locked, however often it went on.
    async fn must_have_told_of_a_device(&self) {
        let locks = "SELECT details FROM audit_log WHERE action = 'lock_account'";
        assert_eq!(self.db.texts(locks).await, [r#"{"device":true}"#]);
        let subject = "Sign-in to your account at usher.test is locked";
        let mails = self.mails_to(BOB).await;
        let told = mails.iter().filter(|mail| mail.subject == subject);
        assert_eq!(told.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_wrong_passwords_lock_out_strangers_but_not_a_known_device() {
    let app = TestApp::start().await;
    app.bob().await;
    for n in 0..99 {
        let address = format!("203.0.113.{n}");
        from_elsewhere(&app, &address, WRONG).await.expect(401);
    }
    assert_eq!(how_many(&app.events().await, "user.locked"), 0);
    let mails = app.mails_to(BOB).await.len();
    for _ in 0..3 {
        from_elsewhere(&app, "203.0.113.200", WRONG)
            .await
            .expect(401);
    }
    assert_eq!(how_many(&app.events().await, "user.locked"), 1);
    assert_eq!(how_many(&app.audit().await, "lock_account success"), 1);
    let told = app.mails_to(BOB).await.split_off(mails);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].text.contains("/forgot-password"),
        "{}",
        told[0].text
    );

    let right = from_elsewhere(&app, "203.0.113.201", PASSWORD).await;
    let right = right.expect_problem(401, "invalid_credentials");
    let wrong = from_elsewhere(&app, "203.0.113.201", WRONG).await;
    assert_eq!(right.body["detail"], wrong.body["detail"]);
    from_home(&app, PASSWORD).await.expect(200);
    // The known device's sign-in opens the door for nobody else.
    from_elsewhere(&app, "203.0.113.201", PASSWORD)
        .await
        .expect(401);

    reset(&app, NEW).await;
    from_elsewhere(&app, "203.0.113.201", NEW).await.expect(200);
    assert_eq!(how_many(&app.events().await, "user.locked"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_wrong_passwords_in_a_row_count() {
    let app = TestApp::start_with(&[("MAX_LOGIN_FAILURES", "3")]).await;
    app.bob().await;
    for stranger in ["198.51.100.1", "203.0.113.1"] {
        for _ in 0..2 {
            from_elsewhere(&app, stranger, WRONG).await.expect(401);
        }
        from_home(&app, PASSWORD).await.expect(200);
    }
    from_elsewhere(&app, "198.51.100.1", PASSWORD)
        .await
        .expect(200);
    assert_eq!(how_many(&app.events().await, "user.locked"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_device_has_a_limit_of_its_own() {
    let app = TestApp::start_with(&[("MAX_LOGIN_FAILURES", "3")]).await;
    app.bob().await;
    for _ in 0..5 {
        from_home(&app, WRONG).await.expect(401);
    }
    from_home(&app, PASSWORD).await.expect(401);
    assert_eq!(how_many(&app.events().await, "user.locked"), 0);
    app.must_have_told_of_a_device().await;
    from_elsewhere(&app, "198.51.100.1", PASSWORD)
        .await
        .expect(200);
    from_home(&app, PASSWORD).await.expect(401);
    reset(&app, NEW).await;
    from_home(&app, NEW).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_at_once_on_two_nodes_lock_once() {
    let app = Arc::new(TestApp::start_with(&[("MAX_LOGIN_FAILURES", "10")]).await);
    let other = Arc::new(app.start_node(2, &[("MAX_LOGIN_FAILURES", "10")]).await);
    let bob = app.bob().await;
    let forget = "DELETE FROM known_devices WHERE user_id = $id";
    app.set_in_users_table(BOB, &bob.id, forget).await;
    let wrong = json!({ "email": BOB, "password": WRONG });
    let nodes = [Arc::clone(&app), other];
    let replies = post_at_once(&nodes, vec![(None, LOGIN, wrong); 20]).await;
    assert_eq!(count(&replies, 401), 20);
    app.catch_up().await;
    let failures = "SELECT CAST(max(failures) AS bigint) FROM credentials";
    assert_eq!(app.db.number(failures).await, 20);
    assert_eq!(how_many(&app.events().await, "user.locked"), 1);
    assert_eq!(how_many(&app.events().await, "user.login_failed"), 20);
    from_home(&app, PASSWORD).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_a_strangers_flood_keeps_nobody_out_of_a_known_device_or_a_reset() {
    let app = TestApp::start_with(&[
        ("RATE_LIMIT_ACCOUNT", "10/1m"),
        ("RATE_LIMIT_LOGIN", "10/1m"),
        ("RATE_LIMIT_RECIPIENT", "3/1h"),
    ])
    .await;
    app.bob().await;
    let flood = || async {
        for n in 0..250 {
            from_elsewhere(&app, &format!("203.0.113.{n}"), WRONG).await;
        }
        let refused = from_elsewhere(&app, "203.0.113.251", WRONG).await;
        refused.expect_problem(429, "rate_limited");
    };
    flood().await;
    from_home(&app, PASSWORD).await.expect(200);
    reset(&app, NEW).await;
    flood().await;
    // The device on which the link was followed is known, though the reset has forgotten all others.
    from_home(&app, NEW).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_proof_inside_a_session_counts_like_a_wrong_sign_in() {
    let app = TestApp::start_with(&[("MAX_LOGIN_FAILURES", "5")]).await;
    let bob = app.bob().await;
    // A thief of the access token, on a device of their own.
    let prove = async |path: &str, body: Value| {
        let request = app.request(Method::POST, path).bearer(&bob.access);
        let request = request.header("user-agent", "python-requests/2.31");
        request.from("203.0.113.7").json(body).send().await
    };
    let change = json!({ "current_password": WRONG, "new_password": NEW });
    let wish = json!({ "new_email": "eve@example.com", "password": WRONG });
    let end = json!({ "password": WRONG, "confirm": true });
    let password = json!({ "password": WRONG });
    for (path, body) in [
        ("/api/v1/auth/change-password", change),
        ("/api/v1/auth/change-email", wish),
        ("/api/v1/users/me/terminate", end),
        (REAUTHENTICATE, password),
    ] {
        prove(path, body)
            .await
            .expect_problem(403, "wrong_password");
    }
    assert_eq!(how_many(&app.events().await, "user.locked"), 0);
    from_elsewhere(&app, "203.0.113.8", WRONG).await.expect(401);
    assert_eq!(how_many(&app.events().await, "user.locked"), 1);
    prove(REAUTHENTICATE, json!({ "password": PASSWORD }))
        .await
        .expect_problem(403, "wrong_password");
    from_elsewhere(&app, "203.0.113.8", PASSWORD)
        .await
        .expect(401);
    let right = json!({ "password": PASSWORD });
    app.post_as(&bob.access, REAUTHENTICATE, right)
        .await
        .expect(200);
    assert_eq!(app.mails_to(BOB).await.len(), 2, "verification and lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_on_a_known_device_count_by_the_device_and_a_right_one_ends_the_row() {
    let app = TestApp::start_with(&[("MAX_LOGIN_FAILURES", "3")]).await;
    let mut bob = app.bob().await;
    for _ in 0..2 {
        for _ in 0..2 {
            let wrong = json!({ "password": WRONG });
            app.post_as(&bob.access, REAUTHENTICATE, wrong)
                .await
                .expect(403);
        }
        let right = json!({ "password": PASSWORD });
        let reply = app.post_as(&bob.access, REAUTHENTICATE, right).await;
        let fresh = reply.expect(200).body["access_token"].clone();
        bob.access = fresh.as_str().unwrap().to_owned();
    }
    from_home(&app, WRONG).await.expect(401);
    for _ in 0..2 {
        let wrong = json!({ "password": WRONG });
        app.post_as(&bob.access, REAUTHENTICATE, wrong)
            .await
            .expect(403);
    }
    let right = json!({ "password": PASSWORD });
    app.post_as(&bob.access, REAUTHENTICATE, right)
        .await
        .expect_problem(403, "wrong_password");
    from_home(&app, PASSWORD).await.expect(401);
    assert_eq!(how_many(&app.events().await, "user.locked"), 0);
    app.must_have_told_of_a_device().await;
    reset(&app, NEW).await;
    from_home(&app, NEW).await.expect(200);
}
