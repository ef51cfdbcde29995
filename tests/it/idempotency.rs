//! `Idempotency-Key`: the same request under the same key is answered with the first answer, and does nothing again.

mod deaths;
mod races;
mod rules;

use crate::support::{
    Reply, TestApp,
    app::PASSWORD,
    people::{BOB, Person},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";
const LOGIN: &str = "/api/v1/auth/login";
const REGISTER: &str = "/api/v1/auth/register";
const CHANGE: &str = "/api/v1/auth/change-password";
const REAUTHENTICATE: &str = "/api/v1/auth/reauthenticate";

impl TestApp {
    /// `POST` under a key.
    async fn post_once(
        &self,
        key: &str,
        who: Option<&Person>,
        (path, body): (&str, &Value),
    ) -> Reply {
        let mut request = self
            .request(Method::POST, path)
            .header("idempotency-key", key);
        if let Some(who) = who {
            request = request.bearer(&who.access);
        }
        request.json(body.clone()).send().await
    }

    async fn keys(&self) -> i64 {
        self.db
            .number("SELECT count(*) FROM idempotency_keys")
            .await
    }

    async fn sessions(&self) -> i64 {
        self.db.number("SELECT count(*) FROM user_sessions").await
    }
}

fn login() -> Value {
    json!({ "email": BOB, "password": PASSWORD })
}

fn sign_up() -> Value {
    json!({ "email": "new@example.com", "password": PASSWORD })
}

#[track_caller]
fn assert_replayed(reply: &Reply, first: &Reply) {
    assert_eq!(reply.status, first.status, "{}", reply.text);
    assert_eq!(reply.text, first.text);
    assert_eq!(reply.header("idempotency-replayed"), "true");
    assert_eq!(first.header("idempotency-replayed"), "");
    for name in ["content-type", "location", "etag", "cache-control"] {
        assert_eq!(reply.header(name), first.header(name), "{name}");
    }
    assert_ne!(reply.header("x-request-id"), first.header("x-request-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_that_comes_again_is_answered_again_and_makes_nobody() {
    let app = TestApp::start().await;
    let first = app
        .post_once(KEY, None, (REGISTER, &sign_up()))
        .await
        .expect(201);
    let again = app.post_once(KEY, None, (REGISTER, &sign_up())).await;
    assert_replayed(&again, &first);
    // Without the key it is another request.
    app.post(REGISTER, sign_up())
        .await
        .expect_problem(409, "email_taken");
    let created = app.events().await;
    assert_eq!(
        created
            .iter()
            .filter(|kind| *kind == "user.created")
            .count(),
        2
    );
    assert_eq!(app.mails_to("new@example.com").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_comes_again_opens_no_second_session_from_wherever_it_comes() {
    let app = TestApp::start().await;
    let node = app.start_node(2, &[]).await;
    let bob = app.bob().await;
    let first = app
        .post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
    let sessions = app.sessions().await;
    assert_replayed(&node.post_once(KEY, None, (LOGIN, &login())).await, &first);
    let elsewhere = app
        .request(Method::POST, LOGIN)
        .header("idempotency-key", KEY);
    let elsewhere = elsewhere.from("198.51.100.7").json(login()).send().await;
    assert_replayed(&elsewhere, &first);
    assert_eq!(app.sessions().await, sessions);
    let token = first.body["access_token"].as_str().unwrap();
    app.get_as(token, "/api/v1/users/me").await.expect(200);
    drop(bob);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_under_a_key_is_refused() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.post_once(KEY, None, (REGISTER, &sign_up()))
        .await
        .expect(201);
    let other = json!({ "email": "other@example.com", "password": PASSWORD });
    let reply = app.post_once(KEY, None, (REGISTER, &other)).await;
    reply.expect_problem(422, "idempotency_conflict");
    let proof = json!({ "password": PASSWORD });
    app.post_once(KEY, Some(&bob), (REAUTHENTICATE, &proof))
        .await
        .expect(200);
    let wrong = json!({ "password": "WrongPass123" });
    let reply = app
        .post_once(KEY, Some(&bob), (REAUTHENTICATE, &wrong))
        .await;
    reply.expect_problem(422, "idempotency_conflict");
    // At another place the key is another key.
    app.post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
    // So it is for a stranger elsewhere, who cannot take it away either.
    let stranger = app
        .request(Method::POST, REGISTER)
        .header("idempotency-key", KEY);
    stranger
        .from("198.51.100.7")
        .json(other)
        .send()
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_its_owners_alone() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let proof = json!({ "password": PASSWORD });
    let own = app
        .post_once(KEY, Some(&bob), (REAUTHENTICATE, &proof))
        .await
        .expect(200);
    let hers = app
        .post_once(KEY, Some(&ada), (REAUTHENTICATE, &proof))
        .await
        .expect(200);
    assert_eq!(hers.header("idempotency-replayed"), "");
    assert_ne!(own.body["access_token"], hers.body["access_token"]);
    app.post_once(KEY, None, (REAUTHENTICATE, &proof))
        .await
        .expect(401);
    // A newer token of the same person is the same person.
    let bob = app.sign_in(BOB).await;
    let again = app
        .post_once(KEY, Some(&bob), (REAUTHENTICATE, &proof))
        .await;
    assert_replayed(&again, &own);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_comes_again_is_answered_again() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let logout = || {
        let request = app
            .request(Method::POST, "/api/v1/auth/logout")
            .bearer(&bob.access);
        request.header("idempotency-key", KEY).send()
    };
    let first = logout().await.expect(204);
    assert_replayed(&logout().await, &first);
    app.post_as(&bob.access, "/api/v1/auth/logout", json!({}))
        .await
        .expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_answered_again_for_the_request_that_asks() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let change = json!({ "current_password": "WrongPass123", "new_password": "AnotherPass456" });
    let first = app.post_once(KEY, Some(&bob), (CHANGE, &change)).await;
    let first = first.expect_problem(403, "wrong_password");
    let failures = app
        .audit()
        .await
        .iter()
        .filter(|entry| *entry == "change_password failed")
        .count();
    let again = app.post_once(KEY, Some(&bob), (CHANGE, &change)).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    let again = again.expect_problem(403, "wrong_password");
    assert_ne!(again.body["request_id"], first.body["request_id"]);
    assert_eq!(again.body["instance"], first.body["instance"]);
    let after = app
        .audit()
        .await
        .iter()
        .filter(|entry| *entry == "change_password failed")
        .count();
    assert_eq!((failures, after), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_given_again_for_24_hours() {
    let app = TestApp::start().await;
    app.bob().await;
    let first = app
        .post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
    app.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    assert_replayed(&app.post_once(KEY, None, (LOGIN, &login())).await, &first);
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(app.keys().await, 1);
    app.advance(TimeDelta::seconds(1));
    let later = app
        .post_once(KEY, None, (LOGIN, &login()))
        .await
        .expect(200);
    assert_eq!(later.header("idempotency-replayed"), "");
    assert_ne!(later.body["access_token"], first.body["access_token"]);
    app.advance(TimeDelta::hours(24));
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(app.keys().await, 0);
}
