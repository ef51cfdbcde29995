//! What people change of their account.

use super::trail::{Trail, UNKNOWN};
use crate::support::{TestApp, app::PASSWORD, people::BOB};
use serde_json::json;

const NEW: &str = "NewSecure456";
const CAROL_NEW: &str = "carol.new@example.com";

#[tokio::test(flavor = "multi_thread")]
async fn i4_each_use_of_the_password_leaves_one_row() {
    let app = TestApp::start().await;
    let trail = Trail::of(&app);
    let bob = app.bob().await;
    let wrong = json!({ "password": "WrongPass123" });
    let right = json!({ "password": PASSWORD });
    trail
        .act(
            &bob,
            "reauthenticate",
            wrong,
            "403 | reauthenticate failed by user | ",
        )
        .await;
    trail
        .act(
            &bob,
            "reauthenticate",
            right,
            "200 | reauthenticate success by user | ",
        )
        .await;
    let bob = app.sign_in(BOB).await;
    let change = |current: &str| json!({ "current_password": current, "new_password": NEW });
    trail
        .act(
            &bob,
            "change-password",
            change("WrongPass123"),
            "403 | change_password failed by user | ",
        )
        .await;
    trail
        .act(
            &bob,
            "change-password",
            change(PASSWORD),
            "204 | change_password success by user | user.password_changed",
        )
        .await;
    trail.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_each_step_of_a_reset_leaves_one_row() {
    let app = TestApp::start().await;
    app.bob().await;
    let trail = Trail::of(&app);
    trail
        .post(
            "password-reset-request",
            json!({ "email": BOB }),
            "202 | request_password_reset success by anonymous | user.password_reset.requested",
        )
        .await;
    trail
        .post(
            "password-reset-request",
            json!({ "email": "nobody@example.com" }),
            "202 | request_password_reset refused by anonymous | ",
        )
        .await;
    let reset = |token: &str| json!({ "token": token, "new_password": PASSWORD });
    trail
        .post(
            "password-reset-confirm",
            reset(UNKNOWN),
            "400 | confirm_password_reset failed by anonymous | ",
        )
        .await;
    let token = app.last_token_to(BOB).await;
    trail
        .post(
            "password-reset-confirm",
            reset(&token),
            "200 | confirm_password_reset success by user | user.password_changed",
        )
        .await;
    trail
        .post(
            "password-reset-confirm",
            reset(&token),
            "410 | confirm_password_reset refused by anonymous | ",
        )
        .await;
    trail.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_each_step_of_a_change_of_address_leaves_one_row() {
    let app = TestApp::start().await;
    let trail = Trail::of(&app);
    app.sign_up(BOB).await;
    let carol = app.person("carol@example.com").await;
    let change = |to: &str, password: &str| json!({ "new_email": to, "password": password });
    trail
        .act(
            &carol,
            "change-email",
            change(CAROL_NEW, "WrongPass123"),
            "403 | change_email failed by user | ",
        )
        .await;
    trail
        .act(
            &carol,
            "change-email",
            change(BOB, PASSWORD),
            "409 | change_email refused by user | ",
        )
        .await;
    trail
        .act(
            &carol,
            "change-email",
            change(CAROL_NEW, PASSWORD),
            "202 | change_email success by user | ",
        )
        .await;
    trail.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_each_link_of_a_change_of_address_leaves_one_row() {
    let app = TestApp::start().await;
    let trail = Trail::of(&app);
    let carol = app.person("carol@example.com").await;
    let wish = json!({ "new_email": CAROL_NEW, "password": PASSWORD });
    let wished = "202 | change_email success by user | ";
    trail.act(&carol, "change-email", wish, wished).await;
    trail
        .post(
            "confirm-email-change",
            json!({ "token": UNKNOWN }),
            "400 | confirm_email_change failed by anonymous | ",
        )
        .await;
    let token = json!({ "token": app.last_token_to(CAROL_NEW).await });
    trail
        .post(
            "confirm-email-change",
            token.clone(),
            "200 | confirm_email_change success by user | user.email_changed",
        )
        .await;
    trail
        .post(
            "confirm-email-change",
            token,
            "410 | confirm_email_change refused by anonymous | ",
        )
        .await;
    let undo = json!({ "token": app.last_token_to("carol@example.com").await });
    trail
        .post(
            "undo-email-change",
            undo.clone(),
            "200 | undo_email_change success by user | user.email_changed",
        )
        .await;
    trail
        .post(
            "undo-email-change",
            undo,
            "410 | undo_email_change refused by anonymous | ",
        )
        .await;
    trail.is_whole().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_an_address_that_is_taken_before_it_is_confirmed_leaves_one_row() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let trail = Trail::of(&app);
    let change = |to: &str, password: &str| json!({ "new_email": to, "password": password });
    trail
        .act(
            &bob,
            "change-email",
            change("late@example.com", PASSWORD),
            "202 | change_email success by user | ",
        )
        .await;
    app.sign_up("late@example.com").await;
    let mails = app.mails_to("late@example.com").await;
    let late = mails[0].text.split_once("token=").unwrap().1;
    let late = late.split_whitespace().next().unwrap();
    trail
        .post(
            "confirm-email-change",
            json!({ "token": late }),
            "409 | confirm_email_change refused by anonymous | ",
        )
        .await;
    trail.is_whole().await;
}
