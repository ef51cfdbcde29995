//! A link that has done its work: what it still shows, and what ends it.

use super::{BOB, PASSWORD, VERIFY, signed_up};
use crate::support::{Reply, TestApp, people::Person};
use axum::http::Method;
use serde_json::{Value, json};

const ME: &str = "/api/v1/users/me";
const NEW: &str = "bob.new@example.com";

async fn show(app: &TestApp, token: &str) -> Reply {
    app.post(VERIFY, json!({ "token": token })).await
}

/// Bob, whose link is used.
async fn bob(app: &TestApp) -> (String, Person) {
    let token = signed_up(app, BOB).await;
    show(app, &token).await.expect(200);
    (token, app.sign_in(BOB).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_link_shows_nothing_that_its_first_answer_did_not() {
    let app = TestApp::start().await;
    let form = json!({ "email": BOB, "password": PASSWORD, "full_name": "Bob" });
    app.post("/api/v1/auth/register", form).await.expect(201);
    let token = app.last_token_to(BOB).await;
    let first = show(&app, &token).await.expect(200).body;
    app.advance(chrono::TimeDelta::minutes(1));
    let bob = app.sign_in(BOB).await;
    let again = show(&app, &token).await.expect(200).body;
    assert_eq!(again["user"], first["user"], "though they signed in");
    let told = json!({ "username": "leaky", "location": "Delft", "full_name": "Bob B" });
    app.ask(Method::PATCH, &bob.access, ME, told)
        .await
        .expect(200);
    let promoted = "UPDATE user_roles SET role = 'manager' WHERE user_id = $id";
    app.set_in_users_table(BOB, &bob.id, promoted).await;
    let again = show(&app, &token).await.expect(200).body;
    assert_eq!(again["already_verified"], true);
    for (name, value) in again["user"].as_object().unwrap() {
        let is_old = *value == first["user"][name];
        assert!(
            is_old || value.is_null() || name == "version",
            "{name}: {value}"
        );
    }
    assert_eq!(again["user"]["full_name"], Value::Null);
    assert_eq!(again["user"]["email"], BOB);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_link_dies_with_a_change_of_the_address() {
    for by_admin in [false, true] {
        let app = TestApp::start().await;
        let (token, bob) = bob(&app).await;
        if by_admin {
            let ada = app.ada().await;
            let at = format!("/api/v1/users/{}", bob.id);
            let set = json!({ "email": NEW });
            app.ask(Method::PATCH, &ada.access, &at, set)
                .await
                .expect(200);
        } else {
            let wish = json!({ "new_email": NEW, "password": PASSWORD });
            app.post_as(&bob.access, "/api/v1/auth/change-email", wish)
                .await
                .expect(202);
            let change = json!({ "token": app.last_token_to(NEW).await });
            app.post("/api/v1/auth/confirm-email-change", change)
                .await
                .expect(200);
        }
        let reply = show(&app, &token).await;
        let reply = reply.expect_problem(410, "token_expired");
        assert!(!reply.text.contains("bob"), "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_link_dies_with_the_account_and_with_a_reset() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let (token, bob) = bob(&app).await;
    let reset = app.reset_token(BOB).await;
    let form = json!({ "token": reset, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", form)
        .await
        .expect(200);
    let reply = show(&app, &token).await;
    reply.expect_problem(410, "token_expired");

    let live = "UPDATE email_verifications SET voided_at = NULL";
    let at = |what: &str| format!("/api/v1/users/{}/{what}", bob.id);
    app.db.execute(live).await;
    show(&app, &token).await.expect(200);
    app.post_as(&ada.access, &at("deactivate"), Value::Null)
        .await
        .expect(200);
    let reply = show(&app, &token).await;
    reply.expect_problem(400, "token_invalid");
    app.post_as(&ada.access, &at("reactivate"), Value::Null)
        .await
        .expect(200);
    let reply = show(&app, &token).await;
    reply.expect_problem(410, "token_expired");

    app.db.execute(live).await;
    let form = json!({ "email": BOB, "password": "AnotherPass456" });
    let login = app.post("/api/v1/auth/login", form).await.expect(200);
    let access = login.body["access_token"].as_str().unwrap();
    let end = json!({ "password": "AnotherPass456", "confirm": true });
    app.post_as(access, "/terminate", end).await.expect(204);
    let reply = show(&app, &token).await;
    reply.expect_problem(400, "token_invalid");
    let voided = "SELECT count(*) FROM email_verifications WHERE voided_at IS NULL";
    assert_eq!(app.db.number(voided).await, 0);
}
