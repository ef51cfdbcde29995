//! Ending one's own account.

use crate::support::{
    TestApp,
    app::{ADA, PASSWORD},
    at_once::{count, post_at_once},
    people::{BOB, CAROL, MAX, Person},
};
use axum::http::Method;
use serde_json::json;
use std::sync::Arc;

const TERMINATE: &str = "/api/v1/users/me/terminate";
const LAST_ADMIN: &str = "The last active admin cannot be removed.";

impl TestApp {
    /// Makes Max an admin.
    async fn second_admin(&self) -> Person {
        let max = self.max().await;
        let sql = "UPDATE user_roles SET role = 'admin' WHERE user_id = $id";
        self.set_in_users_table(MAX, &max.id, sql).await;
        self.sign_in(MAX).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v7_4_2_a_terminated_account_is_shut_on_every_node() {
    let app = TestApp::start().await;
    let node = app.start_node(2, &[]).await;
    let (bob, other) = (app.bob().await, app.sign_in(BOB).await);
    let reset = app.reset_token(BOB).await;
    let wish = json!({ "new_email": "bob.new@example.com", "password": PASSWORD });
    app.post_as(&bob.access, "/api/v1/auth/change-email", wish)
        .await
        .expect(202);
    let change = app.last_token_to("bob.new@example.com").await;
    node.get_as(&other.access, "/api/v1/users/me")
        .await
        .expect(200);
    let body = json!({ "password": PASSWORD, "confirm": true });
    let reply = app.post_as(&bob.access, TERMINATE, body).await.expect(204);
    assert_eq!(reply.text, "");

    for session in [&bob, &other] {
        for on in [&app, &node] {
            on.get_as(&session.access, "/api/v1/users/me")
                .await
                .expect_problem(401, "session_ended");
            let refresh = json!({ "refresh_token": session.refresh });
            on.post("/api/v1/auth/refresh", refresh).await.expect(401);
        }
    }
    let login = json!({ "email": BOB, "password": PASSWORD });
    app.post("/api/v1/auth/login", login)
        .await
        .expect_problem(401, "invalid_credentials");
    let body = json!({ "token": reset, "new_password": "AnotherPass456" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect_problem(410, "token_expired");
    app.post(
        "/api/v1/auth/confirm-email-change",
        json!({ "token": change }),
    )
    .await
    .expect_problem(410, "token_expired");
    let again = json!({ "email": BOB, "password": PASSWORD });
    app.post("/api/v1/auth/register", again)
        .await
        .expect_problem(409, "email_taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_termination_is_told_by_mail_event_and_audit() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let body = json!({ "password": PASSWORD, "confirm": true });
    app.post_as(&bob.access, "/terminate", body)
        .await
        .expect(204);
    let mail = app.mails_to(BOB).await.pop().unwrap();
    assert_eq!(mail.subject, "Your account at usher.test was closed");
    assert!(mail.text.contains("5 January 2026, 12:00 UTC"));
    assert!(!mail.text.contains("http"), "{}", mail.text);
    assert_eq!(app.events().await.last().unwrap(), "user.deleted");
    let audit = app.audit().await;
    assert_eq!(audit.last().unwrap(), "terminate_account success");
    let status = "SELECT status FROM users ORDER BY id DESC LIMIT 1";
    assert_eq!(app.db.texts(status).await, ["terminated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn v7_5_1_without_password_and_confirmation_the_account_stays() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for (body, broken) in [
        (json!({}), vec!["confirm: required", "password: required"]),
        (json!({ "password": PASSWORD }), vec!["confirm: required"]),
        (json!({ "confirm": true }), vec!["password: required"]),
        (
            json!({ "password": PASSWORD, "confirm": false }),
            vec!["confirm: unknown_value"],
        ),
        (
            json!({ "password": PASSWORD, "confirm": "true" }),
            vec!["confirm: format"],
        ),
        (
            json!({ "password": null, "confirm": null }),
            vec!["confirm: required", "password: required"],
        ),
    ] {
        let reply = app.post_as(&bob.access, TERMINATE, body).await;
        assert_eq!(reply.violations(), broken, "{}", reply.text);
    }
    let wrong = json!({ "password": "WrongPass123", "confirm": true });
    app.post_as(&bob.access, "/users/me/terminate", wrong.clone())
        .await
        .expect_problem(403, "wrong_password");
    app.post(TERMINATE, wrong)
        .await
        .expect_problem(401, "unauthenticated");
    app.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(200);
    let audit = app.audit().await;
    assert_eq!(audit.last().unwrap(), "terminate_account failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn z7_the_last_admin_cannot_leave() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    let body = json!({ "password": PASSWORD, "confirm": true });
    let reply = app
        .post_as(&ada.access, TERMINATE, body)
        .await
        .expect_problem(409, "last_admin");
    assert_eq!(reply.body["detail"], LAST_ADMIN);
    app.get_as(&ada.access, "/api/v1/users/me")
        .await
        .expect(200);
    assert_eq!(app.try_password(ADA, PASSWORD).await, 200);
    let audit = app.audit().await;
    assert!(audit.contains(&"terminate_account refused".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn z7_of_two_admins_who_leave_at_once_on_two_nodes_one_stays() {
    for _ in 0..5 {
        let app = Arc::new(TestApp::start().await);
        let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
        let (ada, max) = (app.ada().await, app.second_admin().await);
        let body = json!({ "password": PASSWORD, "confirm": true });
        let posts = [ada.access, max.access].map(|token| (Some(token), TERMINATE, body.clone()));
        let replies = post_at_once(&nodes, posts.into()).await;
        assert_eq!((count(&replies, 204), count(&replies, 409)), (1, 1));
        let admins = "SELECT count(*) FROM users JOIN user_roles ON user_id = id \
                      WHERE role = 'admin' AND status = 'active'";
        assert_eq!(app.db.number(admins).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_ends_once_however_often_it_is_asked_for_at_once() {
    let app = Arc::new(TestApp::start().await);
    let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
    let bob = app.bob().await;
    let body = json!({ "password": PASSWORD, "confirm": true });
    let posts = (0..8).map(|_| (Some(bob.access.clone()), TERMINATE, body.clone()));
    let replies = post_at_once(&nodes, posts.collect()).await;
    assert_eq!((count(&replies, 204), count(&replies, 401)), (1, 7));
    let events = app.events().await;
    let deleted = events.iter().filter(|e| *e == "user.deleted");
    assert_eq!(deleted.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_just_replaced_ends_no_account() {
    for _ in 0..5 {
        let app = Arc::new(TestApp::start().await);
        let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
        let bob = app.bob().await;
        let change = json!({ "current_password": PASSWORD, "new_password": "AnotherPass456" });
        let end = json!({ "password": PASSWORD, "confirm": true });
        let posts = vec![
            (
                Some(bob.access.clone()),
                "/api/v1/auth/change-password",
                change,
            ),
            (Some(bob.access.clone()), TERMINATE, end),
        ];
        let replies = post_at_once(&nodes, posts).await;
        assert_eq!(count(&replies, 204), 1, "{replies:?}");
        let loser = replies.iter().find(|reply| reply.status != 204).unwrap();
        assert!([401, 403].contains(&loser.status), "{}", loser.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn z13_who_never_confirmed_the_address_leaves_nothing_that_keeps_its_owner_out() {
    let settings = [("REQUIRE_EMAIL_VERIFICATION", "false")];
    let app = TestApp::start_with(&settings).await;
    let node = app.start_node(2, &settings).await;
    let end = json!({ "password": PASSWORD, "confirm": true });
    for by_delete in [false, true] {
        let id = app.carol().await;
        let mallory = app.sign_in(CAROL).await;
        node.get_as(&mallory.access, "/api/v1/users/me")
            .await
            .expect(200);
        let done = if by_delete {
            let request = app.request(Method::DELETE, "/api/v1/users/me");
            request.bearer(&mallory.access).send().await
        } else {
            app.post_as(&mallory.access, TERMINATE, end.clone()).await
        };
        done.expect(204);
        for on in [&app, &node] {
            on.get_as(&mallory.access, "/api/v1/users/me")
                .await
                .expect(401);
        }
        let left = "SELECT count(*) FROM users WHERE status <> 'active'";
        assert_eq!(app.db.number(left).await, 0);
        assert_eq!(app.db.number("SELECT count(*) FROM user_keys").await, 1);
        assert_eq!(app.events().await.last().unwrap(), "user.deleted");
        let details = "SELECT details FROM audit_log WHERE action = 'terminate_account'";
        let told = app.db.texts(details).await;
        assert!(
            told.iter().all(|told| told == r#"{"erased":true}"#),
            "{told:?}"
        );
        assert_ne!(app.carol().await, id, "the address is free");
        let carol = app.sign_in(CAROL).await;
        app.post_as(&carol.access, TERMINATE, end.clone())
            .await
            .expect(204);
    }
}
