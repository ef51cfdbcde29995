//! How accounts begin and end.

use super::trail::{Trail, UNKNOWN};
use crate::support::{
    TestApp,
    app::{ADA, PASSWORD},
    people::BOB,
};
use chrono::TimeDelta;
use serde_json::json;

/// Nobody has it.
const UNKNOWN_SESSION: &str = "/api/v1/auth/sessions/0199a0c2-7b6e-7c31-9d55-3f0f6a1b2c4d";

#[tokio::test(flavor = "multi_thread")]
async fn i4_an_account_that_begins_leaves_one_row_for_each_step() {
    let app = TestApp::start().await;
    let trail = Trail::of(&app);
    let form = json!({ "email": BOB, "password": PASSWORD });
    trail
        .post(
            "register",
            form.clone(),
            "201 | register success by user | user.created user.verification_token.created",
        )
        .await;
    trail
        .post(
            "register",
            form.clone(),
            "409 | register refused by anonymous | ",
        )
        .await;
    trail.post("register", json!({}), "422 |  | ").await;
    trail
        .post("login", form.clone(), "403 | login refused by anonymous | ")
        .await;
    trail.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_each_step_of_a_verification_leaves_one_row() {
    let app = TestApp::start().await;
    app.sign_up(BOB).await;
    app.inbox().await;
    let trail = Trail::of(&app);
    let resend = "verify-email-request";
    trail
        .post(resend, json!({ "email": BOB }), "202 | request_email_verification success by anonymous | user.verification_token.created")
        .await;
    trail
        .post(
            resend,
            json!({ "email": "nobody@example.com" }),
            "202 | request_email_verification refused by anonymous | ",
        )
        .await;
    trail
        .post(
            "verify-email",
            json!({ "token": UNKNOWN }),
            "400 | verify_email failed by anonymous | ",
        )
        .await;
    let token = json!({ "token": app.last_token_to(BOB).await });
    trail
        .post(
            "verify-email",
            token.clone(),
            "200 | verify_email success by user | user.verified",
        )
        .await;
    trail.post("verify-email", token.clone(), "200 |  | ").await;
    app.advance(TimeDelta::days(2));
    trail
        .post(
            "verify-email",
            token,
            "410 | verify_email refused by anonymous | ",
        )
        .await;
    trail
        .post(
            "accept-invitation",
            json!({ "token": UNKNOWN, "password": PASSWORD }),
            "400 | accept_invitation failed by anonymous | ",
        )
        .await;
    trail.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_a_strict_sign_up_leaves_one_row_whether_the_address_is_free_or_not() {
    let app = TestApp::start_with(&[("SIGNUP_PRIVACY", "strict")]).await;
    let trail = Trail::of(&app);
    let form = |email: &str| json!({ "email": email, "password": PASSWORD });
    trail
        .post(
            "register",
            form(BOB),
            "202 | register success by user | user.created user.verification_token.created",
        )
        .await;
    trail
        .post(
            "register",
            form(BOB),
            "202 | register refused by anonymous | ",
        )
        .await;
    app.verify(BOB).await;
    let bob = app.sign_in(BOB).await;
    let change = json!({ "new_email": ADA, "password": PASSWORD });
    trail
        .act(
            &bob,
            "change-email",
            change,
            "202 | change_email refused by user | ",
        )
        .await;
    assert_eq!(app.mails_to(ADA).await.len(), 1);
    trail.is_whole().await;
}
#[tokio::test(flavor = "multi_thread")]
async fn i4_the_end_of_sessions_leaves_one_row() {
    let app = TestApp::start().await;
    let trail = Trail::of(&app);
    let bob = app.bob().await;
    let other = app.sign_in(BOB).await;
    trail
        .delete(
            &bob,
            UNKNOWN_SESSION,
            "404 | revoke_session refused by user | ",
        )
        .await;
    let sessions = app
        .get_as(&other.access, "/api/v1/auth/sessions")
        .await
        .body;
    let current = sessions["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["current"] == true);
    let id = current.unwrap()["id"].as_str().unwrap();
    let path = format!("/api/v1/auth/sessions/{id}");
    trail
        .delete(
            &bob,
            &path,
            "204 | revoke_session success by user | user.session_revoked",
        )
        .await;
    trail
        .act(
            &bob,
            "logout",
            json!({}),
            "204 | logout success by user | user.logged_out",
        )
        .await;
    let bob = app.sign_in(BOB).await;
    trail
        .act(
            &bob,
            "logout-all",
            json!({}),
            "204 | logout_all success by user | user.logged_out",
        )
        .await;
    trail.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_the_end_of_an_account_leaves_one_row() {
    let app = TestApp::start().await;
    let trail = Trail::of(&app);
    let (bob, ada) = (app.bob().await, app.ada().await);
    let end = |password: &str| json!({ "password": password, "confirm": true });
    let path = "/api/v1/users/me/terminate";
    trail
        .act(
            &bob,
            path,
            end("WrongPass123"),
            "403 | terminate_account failed by user | ",
        )
        .await;
    trail
        .act(
            &bob,
            path,
            end(PASSWORD),
            "204 | terminate_account success by user | user.deleted",
        )
        .await;
    trail
        .act(
            &ada,
            path,
            end(PASSWORD),
            "409 | terminate_account refused by user | ",
        )
        .await;
    let login = json!({ "email": BOB, "password": PASSWORD });
    trail
        .post("login", login, "401 | login refused by anonymous | ")
        .await;
    let carol = app.person("carol@example.com").await;
    let me = "/api/v1/users/me";
    app.advance(TimeDelta::minutes(6));
    trail
        .delete(&carol, me, "403 | terminate_account refused by user | ")
        .await;
    let carol = app.sign_in("carol@example.com").await;
    trail
        .delete(
            &carol,
            me,
            "204 | terminate_account success by user | user.deleted",
        )
        .await;
    trail.is_whole().await;
}
