//! Asking a person for another password.

use crate::support::{
    Reply, TestApp,
    app::{ADA, PASSWORD},
    people::{BOB, CAROL, Person},
};
use axum::http::Method;
use serde_json::{Value, json};

const LOGIN: &str = "/api/v1/auth/login";
const NEW: &str = "AnotherPass456";

async fn require(app: &TestApp, who: &Person, id: &str) -> Reply {
    let at = format!("/api/v1/users/{id}/require-password-reset");
    app.ask(Method::POST, &who.access, &at, Value::Null).await
}

fn login(password: &str) -> Value {
    json!({ "email": BOB, "password": password })
}

#[tokio::test(flavor = "multi_thread")]
async fn until_a_new_password_is_set_the_old_one_opens_nothing_on_any_node() {
    let app = TestApp::start().await;
    let node = app.start_node(2, &[]).await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    node.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(200);
    require(&app, &ada, &bob.id).await.expect(204);
    for on in [&app, &node] {
        on.get_as(&bob.access, "/api/v1/users/me")
            .await
            .expect_problem(401, "session_ended");
        let refresh = json!({ "refresh_token": bob.refresh });
        on.post("/api/v1/auth/refresh", refresh).await.expect(401);
        on.post(LOGIN, login(PASSWORD))
            .await
            .expect_problem(403, "password_change_required");
        on.post(LOGIN, login("WrongPass123"))
            .await
            .expect_problem(401, "invalid_credentials");
    }
    let mail = app.mails_to(BOB).await.pop().unwrap();
    assert_eq!(mail.subject, "A new password is needed for usher.test");
    let link = "http://usher.test/reset-password#token=";
    assert!(mail.text.contains(link), "{}", mail.text);
    let body = json!({ "token": app.last_token_to(BOB).await, "new_password": NEW });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect(200);
    node.post(LOGIN, login(NEW)).await.expect(200);
    app.post(LOGIN, login(PASSWORD)).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_for_another_password_is_told_and_repeated_voids_the_earlier_link() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let before = app.events().await.len();
    require(&app, &ada, &bob.id).await.expect(204);
    assert_eq!(
        app.events().await.split_off(before),
        ["user.session_revoked", "user.password_reset.requested"]
    );
    let first = app.last_token_to(BOB).await;
    let at = format!("/users/{}/require-password-reset", bob.id);
    app.post_as(&ada.access, &at, json!({})).await.expect(204);
    let details =
        "SELECT details FROM audit_log WHERE action = 'require_password_reset' ORDER BY at, id";
    assert_eq!(
        app.db.texts(details).await,
        [r#"{"sessions_ended":1}"#, r#"{"sessions_ended":0}"#]
    );
    let reasons = "SELECT DISTINCT end_reason FROM user_sessions WHERE ended_at IS NOT NULL";
    assert_eq!(app.db.texts(reasons).await, ["password_reset_required"]);
    let body = json!({ "token": first, "new_password": NEW });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect_problem(410, "token_expired");
    // Who lets the link run out asks for another one.
    let body = json!({ "token": app.reset_token(BOB).await, "new_password": NEW });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect(200);
    app.post(LOGIN, login(NEW)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_asks_and_only_of_others_who_have_a_password() {
    let app = TestApp::start().await;
    let (ada, bob, max) = (app.ada().await, app.bob().await, app.max().await);
    let dave = app.dave().await;
    require(&app, &max, &bob.id)
        .await
        .expect_problem(403, "forbidden");
    require(&app, &bob, &bob.id)
        .await
        .expect_problem(403, "forbidden");
    let new = json!({ "email": CAROL });
    let invited = app.post_as(&ada.access, "/api/v1/users", new).await;
    let invited = invited.expect(201).body["id"].as_str().unwrap().to_owned();
    for id in [&ada.id, &dave.id, &invited] {
        require(&app, &ada, id)
            .await
            .expect_problem(409, "conflict");
    }
    let nobody = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f";
    require(&app, &ada, nobody)
        .await
        .expect_problem(404, "not_found");
    assert_eq!(
        app.audit().await.last().unwrap(),
        "require_password_reset refused"
    );
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
    assert_eq!(app.try_password(ADA, PASSWORD).await, 200);
}
