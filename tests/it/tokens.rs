//! Access and refresh tokens: what they say, how long they live, what else is no token.

mod forgery;
mod lifetime;
mod rotation;

use crate::support::{
    TestApp, jwt,
    people::{BOB, DAVE, Person},
};
use serde_json::{Value, json};

const ME: &str = "/api/v1/users/me";
const REFRESH: &str = "/api/v1/auth/refresh";
const SECRET: &str = "kVb2mZ7qXw9RtY4uLp6NsD8fGh3JcA5e";

/// What `refresh` takes.
fn shown(refresh: &str) -> Value {
    json!({ "refresh_token": refresh })
}

/// The next pair of a session.
async fn refreshed(app: &TestApp, who: &Person) -> Person {
    let reply = app.post(REFRESH, shown(&who.refresh)).await.expect(200);
    Person {
        access: reply.body["access_token"].as_str().unwrap().to_owned(),
        refresh: reply.body["refresh_token"].as_str().unwrap().to_owned(),
        ..who.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_says_what_is_promised_and_nothing_more() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let mut header = jwt::header(&bob.access);
    assert_eq!(header["kid"].take().as_str().unwrap().len(), 43);
    let expected = json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": null });
    assert_eq!(header, expected);
    let mut claims = jwt::claims(&bob.access);
    let sessions = app.get_as(&bob.access, "/api/v1/auth/sessions").await;
    assert_eq!(claims["sid"].take(), sessions.body["items"][0]["id"]);
    let jti: uuid::Uuid = claims["jti"].take().as_str().unwrap().parse().unwrap();
    assert_eq!(jti.get_version_num(), 7);
    let now = app.now().timestamp();
    let expected = json!({
        "iss": "http://usher.test", "aud": "usher", "sub": bob.id, "sid": null, "jti": null,
        "iat": now, "exp": now + 1800, "auth_time": now, "roles": ["user"], "tier": "basic",
    });
    assert_eq!(claims, expected);
    assert_eq!(
        jwt::claims(&app.ada().await.access)["roles"],
        json!(["admin"])
    );
    assert_eq!(jwt::claims(&app.pia().await.access)["tier"], "premium");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_keys_verify_a_token_for_anybody() {
    for algorithm in ["EdDSA", "ES256"] {
        let app = TestApp::start_with(&[("JWT_ALGORITHM", algorithm)]).await;
        let ada = app.ada().await;
        let jwks = app.get("/.well-known/jwks.json").await.expect(200);
        assert_eq!(jwt::header(&ada.access)["alg"], algorithm);
        assert!(jwt::is_signed_by(&ada.access, &jwks.body));
        let (head, signature) = ada.access.rsplit_once('.').unwrap();
        let other = format!("{head}x.{signature}");
        assert!(!jwt::is_signed_by(&other, &jwks.body));
        app.get_as(&ada.access, ME).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_secret_signs_and_is_not_published() {
    let app = TestApp::start_with(&[("JWT_SECRET_KEY", SECRET)]).await;
    let ada = app.ada().await;
    assert_eq!(jwt::header(&ada.access)["alg"], "HS256");
    assert!(jwt::is_signed_with(&ada.access, SECRET));
    app.get_as(&ada.access, ME).await.expect(200);
    let jwks = app.get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(jwks.body, json!({ "keys": [] }));
    app.app.do_housekeeping().await.unwrap();
    app.get_as(&ada.access, ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_sign_in_may_not_go_on_either() {
    let app = TestApp::start().await;
    let dave = app.dave().await;
    let bob = app.bob().await;
    let sql = "UPDATE users SET status = 'terminated' WHERE id = $id";
    app.set_in_users_table(BOB, &bob.id, sql).await;
    for person in [&dave, &bob] {
        app.get_as(&person.access, ME)
            .await
            .expect_problem(401, "session_ended");
        app.post(REFRESH, shown(&person.refresh))
            .await
            .expect_problem(401, "session_ended");
    }
    // The refused attempts have used nothing up: who is let in again goes on.
    let sql = "UPDATE users SET status = 'active' WHERE id = $id";
    app.set_in_users_table(DAVE, &dave.id, sql).await;
    let dave = refreshed(&app, &dave).await;
    app.get_as(&dave.access, ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_was_a_refresh_token_is_invalid() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for text in ["x", "A".repeat(43).as_str(), &bob.access[..200], &bob.id] {
        app.post(REFRESH, shown(text))
            .await
            .expect_problem(401, "token_invalid");
    }
    let missing = app.post(REFRESH, json!({})).await;
    assert_eq!(missing.violations(), ["refresh_token: required"]);
}
