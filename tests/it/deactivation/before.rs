//! An account that comes back is what it was.

use super::{CAROL, PASSWORD, USERS};
use crate::support::{TestApp, people::BOB};
use axum::http::Method;
use serde_json::{Value, json};

/// What the answer says of the account's state.
fn state(body: &Value) -> Value {
    json!([body["status"], body["is_verified"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_active_is_so_again_though_an_admin_has_set_another_address() {
    let app = TestApp::start().await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    let body = json!({ "email": "bob.new@example.com" });
    let there = format!("{USERS}/{}", bob.id);
    let moved = app.ask(Method::PATCH, &ada.access, &there, body).await;
    assert_eq!(state(&moved.expect(200).body), json!(["active", false]));
    for _ in 0..2 {
        app.act_on(&ada, &bob.id, "deactivate").await.expect(200);
        let back = app.act_on(&ada, &bob.id, "reactivate").await.expect(200);
        assert_eq!(state(&back.body), json!(["active", false]));
    }
    let bob = app.sign_in("bob.new@example.com").await;
    let end = json!({ "password": PASSWORD, "confirm": true });
    app.post_as(&bob.access, "/terminate", end)
        .await
        .expect(204);
    let back = app.act_on(&ada, &bob.id, "reactivate").await.expect(200);
    assert_eq!(state(&back.body), json!(["active", false]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_put_aside_when_that_was_not_kept_comes_back_by_the_address() {
    let app = TestApp::start().await;
    let (ada, bob, carol) = (app.ada().await, app.bob().await, app.carol().await);
    for (who, id, expected) in [
        (BOB, &bob.id, json!(["active", true])),
        (CAROL, &carol, json!(["pending", false])),
    ] {
        let sql = "UPDATE users SET status = 'deactivated' WHERE id = $id";
        app.set_in_users_table(who, id, sql).await;
        let back = app.act_on(&ada, id, "reactivate").await.expect(200);
        assert_eq!(state(&back.body), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_not_confirmed_while_the_account_is_put_aside() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let id = app.carol().await;
    let token = app.last_token_to(CAROL).await;
    app.act_on(&ada, &id, "deactivate").await.expect(200);
    let verify = async || {
        let form = json!({ "token": token });
        app.post("/api/v1/auth/verify-email", form).await
    };
    verify().await.expect_problem(400, "token_invalid");
    let before = app.mails_to(CAROL).await.len();
    let ask = json!({ "email": CAROL });
    app.post("/api/v1/auth/verify-email-request", ask)
        .await
        .expect(202);
    assert_eq!(app.mails_to(CAROL).await.len(), before, "nothing waits");
    let back = app.act_on(&ada, &id, "reactivate").await.expect(200);
    assert_eq!(back.body["status"], "pending");
    verify().await.expect(200);
    app.sign_in(CAROL).await;
}
