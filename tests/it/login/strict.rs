//! What a sign-in tells of accounts that were never confirmed, and of whose a username is.

use super::{LOGIN, WRONG, seen};
use crate::mail_requests::rows;
use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    people::{BOB, CAROL},
};
use axum::http::Method;
use serde_json::{Value, json};

const STRICT: (&str, &str) = ("SIGNUP_PRIVACY", "strict");

async fn register(app: &TestApp, email: &str, password: &str) {
    let form = json!({ "email": email, "password": password });
    app.post("/api/v1/auth/register", form).await.expect(202);
    app.catch_up().await;
}

/// From a device that nobody has signed in on.
async fn from_elsewhere(app: &TestApp, body: Value) -> Reply {
    let request = app.request(Method::POST, LOGIN).from("203.0.113.9");
    let request = request.header("user-agent", "Canary/1.0");
    request.json(body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn c4_after_a_strict_sign_up_a_sign_in_does_not_tell_whether_the_address_was_free() {
    let app = TestApp::start_with(&[STRICT, ("MAX_LOGIN_FAILURES", "3")]).await;
    register(&app, BOB, "OwnersPass123").await;
    app.verify(BOB).await;
    for email in [BOB, CAROL, "dave@example.com"] {
        register(&app, email, PASSWORD).await;
    }
    let aside = "UPDATE users SET status = 'deactivated' WHERE verified_at IS NULL \
        AND created_at = (SELECT max(created_at) FROM users)";
    app.advance(chrono::TimeDelta::seconds(1));
    register(&app, "erin@example.com", PASSWORD).await;
    assert_eq!(app.db.execute(aside).await, 1);
    app.inbox().await;
    let events = app.events().await.len();
    let login = |email: &str, password: &str| json!({ "email": email, "password": password });
    let usual = seen(from_elsewhere(&app, login("nobody@example.com", WRONG)).await);
    app.catch_up().await;
    let mut before = rows(&app).await;
    for (email, password) in [
        (BOB, PASSWORD),
        (CAROL, PASSWORD),
        (CAROL, WRONG),
        ("dave@example.com", PASSWORD),
        ("erin@example.com", PASSWORD),
    ] {
        let reply = from_elsewhere(&app, login(email, password)).await;
        assert_eq!(seen(reply), usual, "{email}");
        *before.get_mut("failed_logins").unwrap() += 1;
        assert_eq!(rows(&app).await, before, "{email}");
    }
    let forms = "SELECT count(*) FROM (SELECT DISTINCT device_index, length(origin_sealed), taken_at FROM failed_logins) AS forms";
    assert_eq!(app.db.number(forms).await, 1, "one form for everybody");
    app.catch_up().await;
    let told = app.events().await.split_off(events);
    assert_eq!(told, ["user.login_failed", "user.login_failed"]);
    let why = "SELECT count(*) FROM audit_log WHERE action = 'login' AND outcome = 'refused' AND subject_id IS NOT NULL \
        AND details LIKE '%email_not_verified%'";
    assert_eq!(app.db.number(why).await, 3, "staff is told why");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_too_early_after_a_strict_sign_up_is_not_locked_out() {
    let app = TestApp::start_with(&[STRICT, ("MAX_LOGIN_FAILURES", "3")]).await;
    register(&app, CAROL, PASSWORD).await;
    let right = json!({ "email": CAROL, "password": PASSWORD });
    for _ in 0..5 {
        let reply = from_elsewhere(&app, right.clone()).await;
        reply.expect_problem(401, "invalid_credentials");
    }
    app.verify(CAROL).await;
    from_elsewhere(&app, right).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_in_use_that_is_deactivated_is_told_so_in_strict_privacy_too() {
    let app = TestApp::start_with(&[STRICT]).await;
    register(&app, BOB, PASSWORD).await;
    app.verify(BOB).await;
    app.db
        .execute("UPDATE users SET status = 'deactivated' WHERE login_count = 0")
        .await;
    let right = json!({ "email": BOB, "password": PASSWORD });
    let reply = from_elsewhere(&app, right).await;
    reply.expect_problem(403, "account_deactivated");
}

#[tokio::test(flavor = "multi_thread")]
async fn e1_the_limit_of_an_account_does_not_tell_whose_a_username_is() {
    let app = TestApp::start_with(&[("RATE_LIMIT_ACCOUNT", "10/1m")]).await;
    for (email, name) in [(BOB, "u-one"), (CAROL, "u-two")] {
        let form = json!({ "email": email, "password": PASSWORD, "username": name });
        app.post("/api/v1/auth/register", form).await.expect(201);
        app.verify(email).await;
    }
    let guess = |field: &str, text: &str| json!({ field: text, "password": WRONG });
    let by_address = ["Bob@Example.com", BOB, "nobody@example.com"];
    for (at, address) in by_address.into_iter().enumerate() {
        for _ in 0..if at < 2 { 5 } else { 10 } {
            let reply = from_elsewhere(&app, guess("email", address)).await;
            reply.expect_problem(401, "invalid_credentials");
        }
    }
    for address in by_address {
        let reply = from_elsewhere(&app, guess("email", address)).await;
        reply.expect_problem(429, "rate_limited");
    }
    for name in ["u-one", "u-two", "u-nobody"] {
        for at in 0..11 {
            // A username is taken in either field.
            let field = if at % 2 == 0 { "username" } else { "email" };
            let reply = from_elsewhere(&app, guess(field, &name.to_uppercase())).await;
            let status = if at < 10 { 401 } else { 429 };
            assert_eq!(reply.status, status, "{name} {at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_known_device_address_and_username_have_one_limit_and_elsewhere_one_lock() {
    let settings = [("RATE_LIMIT_ACCOUNT", "4/1m"), ("MAX_LOGIN_FAILURES", "8")];
    let app = TestApp::start_with(&settings).await;
    let form = json!({ "email": BOB, "password": PASSWORD, "username": "bob" });
    app.post("/api/v1/auth/register", form).await.expect(201);
    app.verify(BOB).await;
    app.sign_in(BOB).await;
    let names = [("email", BOB), ("username", "bob")];
    for (at, status) in [401, 401, 401, 401, 429, 429].into_iter().enumerate() {
        let (field, text) = names[at % 2];
        let guess = json!({ field: text, "password": WRONG });
        assert_eq!(app.post(LOGIN, guess).await.status, status, "{at}");
    }
    app.advance(chrono::TimeDelta::minutes(1));
    for (field, text) in names {
        for _ in 0..4 {
            let guess = json!({ field: text, "password": WRONG });
            assert_eq!(from_elsewhere(&app, guess).await.status, 401);
        }
    }
    app.catch_up().await;
    let locked = app.events().await;
    let locked = locked.iter().filter(|event| *event == "user.locked");
    assert_eq!(locked.count(), 1, "all eight count for the account");
}
