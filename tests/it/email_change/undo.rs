//! Undoing a change of address from the old mailbox: what gives a stolen account back to its owner.

use super::{CONFIRM, NEW, UNDO};
use crate::support::{
    TestApp,
    app::PASSWORD,
    at_once::{count, post_at_once},
    people::{BOB, PIA},
};
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;

const THIRD: &str = "third@example.com";

#[tokio::test(flavor = "multi_thread")]
async fn undoing_puts_the_old_address_back_and_ends_all_sessions() {
    let app = TestApp::start().await;
    let (bob, other) = (app.bob().await, app.sign_in(BOB).await);
    let undo = app.move_to(&bob, BOB, NEW).await;
    let reset = app.reset_token(NEW).await;
    let waiting = app.wish(&bob, THIRD).await;
    let reply = app.show(UNDO, &undo).await.expect(200);
    let message =
        "Your old e-mail address is back. Reset your password if you did not change it yourself.";
    assert_eq!(reply.body, json!({ "message": message }));

    for session in [&bob, &other] {
        app.get_as(&session.access, "/api/v1/users/me")
            .await
            .expect_problem(401, "session_ended");
        let refresh = json!({ "refresh_token": session.refresh });
        app.post("/api/v1/auth/refresh", refresh).await.expect(401);
    }
    assert_eq!(app.try_password(NEW, PASSWORD).await, 401);
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
    let body = json!({ "token": reset, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect_problem(410, "token_expired");
    app.show(CONFIRM, &waiting)
        .await
        .expect_problem(410, "token_expired");
    app.show(UNDO, &undo)
        .await
        .expect_problem(410, "token_used");
    let audit = app.audit().await;
    assert!(audit.contains(&"undo_email_change success".to_owned()));
    let events = app.events().await;
    let changed = events.iter().filter(|e| *e == "user.email_changed");
    assert_eq!(changed.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_link_works_for_seven_days_and_not_after() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let undo = app.move_to(&bob, BOB, NEW).await;
    app.advance(TimeDelta::days(7) - TimeDelta::seconds(1));
    app.show(UNDO, &undo).await.expect(200);
    app.advance(TimeDelta::days(7));
    app.show(UNDO, &undo)
        .await
        .expect_problem(410, "token_used");

    let bob = app.sign_in(BOB).await;
    let undo = app.move_to(&bob, BOB, THIRD).await;
    app.advance(TimeDelta::days(7));
    app.show(UNDO, &undo)
        .await
        .expect_problem(410, "token_expired");
    assert_eq!(app.try_password(THIRD, PASSWORD).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_address_of_a_chain_comes_back_for_good() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let first = app.move_to(&bob, BOB, NEW).await;
    let second = app.move_to(&bob, NEW, THIRD).await;
    app.show(UNDO, &first).await.expect(200);
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
    app.show(UNDO, &second)
        .await
        .expect_problem(410, "token_expired");
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
    assert_eq!(app.try_password(NEW, PASSWORD).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_can_be_undone_step_by_step() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let first = app.move_to(&bob, BOB, NEW).await;
    let second = app.move_to(&bob, NEW, THIRD).await;
    app.show(UNDO, &second).await.expect(200);
    assert_eq!(app.try_password(NEW, PASSWORD).await, 200);
    app.show(UNDO, &first).await.expect(200);
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gets_an_address_that_can_still_come_back() {
    let app = TestApp::start().await;
    let (bob, pia) = (app.bob().await, app.pia().await);
    let wished_before = app.move_to(&bob, BOB, NEW).await;
    let form = json!({ "email": BOB, "password": PASSWORD });
    app.post("/api/v1/auth/register", form.clone())
        .await
        .expect_problem(409, "email_taken");
    let body = json!({ "new_email": BOB, "password": PASSWORD });
    app.post_as(&pia.access, super::CHANGE, body.clone())
        .await
        .expect_problem(409, "email_taken");
    app.show(UNDO, &wished_before).await.expect(200);

    let bob = app.sign_in(BOB).await;
    app.move_to(&bob, BOB, THIRD).await;
    app.move_to(&bob, THIRD, BOB).await;
    app.move_to(&bob, BOB, NEW).await;
    app.advance(TimeDelta::days(7));
    app.post("/api/v1/auth/register", form).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_loses_against_an_address_that_can_still_come_back() {
    let app = TestApp::start().await;
    let (bob, pia) = (app.bob().await, app.pia().await);
    let bobs = app.wish(&bob, NEW).await;
    let pias = app.wish(&pia, NEW).await;
    app.show(CONFIRM, &bobs).await.expect(200);
    let undo = app.move_to(&bob, NEW, THIRD).await;
    app.show(CONFIRM, &pias)
        .await
        .expect_problem(409, "email_taken");
    app.show(UNDO, &undo).await.expect(200);
    assert_eq!(app.try_password(NEW, PASSWORD).await, 200);
    assert_eq!(app.try_password(PIA, PASSWORD).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_undo_shown_many_times_at_once_counts_once() {
    let app = Arc::new(TestApp::start().await);
    let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
    let bob = app.bob().await;
    let undo = app.move_to(&bob, BOB, NEW).await;
    let posts = (0..10).map(|_| (None, UNDO, json!({ "token": undo })));
    let replies = post_at_once(&nodes, posts.collect()).await;
    assert_eq!((count(&replies, 200), count(&replies, 410)), (1, 9));
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_reset_by_the_thief_leaves_the_undo_open() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let undo = app.move_to(&bob, BOB, NEW).await;
    let reset = app.reset_token(NEW).await;
    let body = json!({ "token": reset, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect(200);
    app.show(UNDO, &undo).await.expect(200);
    assert_eq!(app.try_password(BOB, "AnotherPass456").await, 200);
    assert_eq!(app.try_password(NEW, "AnotherPass456").await, 401);
}
