//! Proving the password again inside a session.

use crate::support::{TestApp, app::PASSWORD, jwt};
use chrono::TimeDelta;
use serde_json::json;

const REAUTHENTICATE: &str = "/api/v1/auth/reauthenticate";
const ME: &str = "/api/v1/users/me";

#[tokio::test(flavor = "multi_thread")]
async fn the_password_again_gives_a_fresh_proof_in_the_same_session() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.advance(TimeDelta::minutes(10));
    let reply = app
        .post_as(&bob.access, REAUTHENTICATE, json!({ "password": PASSWORD }))
        .await
        .expect(200);
    assert_eq!(reply.body["token_type"], "Bearer");
    assert_eq!(reply.body["expires_in"], 1800);
    assert_eq!(reply.header("cache-control"), "no-store");
    let fresh = reply.body["access_token"].as_str().unwrap();
    let (before, after) = (jwt::claims(&bob.access), jwt::claims(fresh));
    assert_eq!(before["sid"], after["sid"]);
    assert_ne!(before["jti"], after["jti"]);
    assert_eq!(after["auth_time"], app.now().timestamp());
    assert_eq!(before["auth_time"], app.now().timestamp() - 600);

    app.get_as(fresh, ME).await.expect(200);
    app.get_as(&bob.access, ME)
        .await
        .expect_problem(401, "session_ended");
    assert_eq!(app.audit().await.last().unwrap(), "reauthenticate success");

    // The session keeps the proof's time, and a refresh does not renew it.
    app.advance(TimeDelta::minutes(1));
    let form = json!({ "refresh_token": bob.refresh });
    let next = app.post("/api/v1/auth/refresh", form).await.expect(200);
    let next = jwt::claims(next.body["access_token"].as_str().unwrap());
    assert_eq!(next["auth_time"], after["auth_time"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_changes_nothing() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.advance(TimeDelta::minutes(1));
    app.post_as(
        &bob.access,
        REAUTHENTICATE,
        json!({ "password": "WrongPass123" }),
    )
    .await
    .expect_problem(403, "wrong_password");
    assert_eq!(app.audit().await.last().unwrap(), "reauthenticate failed");
    let missing = app.post_as(&bob.access, REAUTHENTICATE, json!({})).await;
    assert_eq!(missing.violations(), ["password: required"]);
    app.post(REAUTHENTICATE, json!({ "password": PASSWORD }))
        .await
        .expect_problem(401, "unauthenticated");
    app.get_as(&bob.access, ME).await.expect(200);
    let form = json!({ "refresh_token": bob.refresh });
    let next = app.post("/api/v1/auth/refresh", form).await.expect(200);
    let next = jwt::claims(next.body["access_token"].as_str().unwrap());
    assert_eq!(next["auth_time"], app.now().timestamp() - 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_access_token_does_not_allow_endless_guesses() {
    let app = TestApp::start_with(&[("RATE_LIMIT_ACCOUNT", "5/1m")]).await;
    let bob = app.bob().await;
    let guess =
        |password: &str| app.post_as(&bob.access, REAUTHENTICATE, json!({ "password": password }));
    for _ in 0..5 {
        guess("WrongPass123")
            .await
            .expect_problem(403, "wrong_password");
    }
    let refused = guess(PASSWORD).await.expect_problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "12");
    // The owner's sign-in has another count.
    app.sign_in(&bob.email).await;
    app.advance(TimeDelta::seconds(12));
    guess(PASSWORD).await.expect(200);
}
