//! Changing one's password with the current one as proof.

use crate::support::{
    TestApp,
    app::PASSWORD,
    at_once::{count, post_at_once},
    people::BOB,
};
use axum::http::Method;
use serde_json::json;
use std::sync::Arc;

const CHANGE: &str = "/api/v1/auth/change-password";
const NEW: &str = "AnotherPass456";

#[tokio::test(flavor = "multi_thread")]
async fn s1_changing_the_password_ends_the_other_sessions_on_every_node() {
    let app = TestApp::start().await;
    let other_node = app.start_node(2, &[]).await;
    let (bob, other) = (app.bob().await, app.sign_in(BOB).await);
    let me = "/api/v1/users/me";
    other_node.get_as(&other.access, me).await.expect(200);
    let body =
        json!({ "current_password": PASSWORD, "new_password": NEW, "confirm_password": NEW });
    let reply = app.post_as(&bob.access, CHANGE, body).await.expect(204);
    assert_eq!(reply.text, "");

    for node in [&app, &other_node] {
        node.get_as(&other.access, me)
            .await
            .expect_problem(401, "session_ended");
        node.get_as(&bob.access, me).await.expect(200);
    }
    let refresh = json!({ "refresh_token": other.refresh });
    app.post("/api/v1/auth/refresh", refresh).await.expect(401);
    let refresh = json!({ "refresh_token": bob.refresh });
    app.post("/api/v1/auth/refresh", refresh).await.expect(200);
    assert_eq!(app.try_password(BOB, PASSWORD).await, 401);
    assert_eq!(app.try_password(BOB, NEW).await, 200);

    let audit = app.audit().await;
    assert!(audit.contains(&"change_password success".to_owned()));
    let mails = app.mails_to(BOB).await;
    let mail = mails.last().unwrap();
    assert_eq!(mail.subject, "Your password for usher.test was changed");
    let logs = app.logs.text();
    assert!(!logs.contains(NEW) && !logs.contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_with_the_old_password_dies_with_it() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let reset = app.reset_token(BOB).await;
    let wish = json!({ "new_email": "bob2@example.com", "password": PASSWORD });
    app.post_as(&bob.access, "/api/v1/auth/change-email", wish)
        .await
        .expect(202);
    let address = app.last_token_to("bob2@example.com").await;
    let body = json!({ "current_password": PASSWORD, "new_password": NEW });
    app.post_as(&bob.access, "/auth/change-password", body)
        .await
        .expect(204);
    let body = json!({ "token": reset, "new_password": "ThirdPass789" });
    app.post("/api/v1/auth/password-reset-confirm", body)
        .await
        .expect_problem(410, "token_expired");
    let body = json!({ "token": address });
    app.post("/api/v1/auth/confirm-email-change", body)
        .await
        .expect_problem(410, "token_expired");
    assert_eq!(app.try_password(BOB, NEW).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn p5_without_the_right_current_password_nothing_changes() {
    let app = TestApp::start().await;
    let (bob, other) = (app.bob().await, app.sign_in(BOB).await);
    for (current, status, code) in [
        (json!("WrongPass123"), 403, "wrong_password"),
        (json!("securepass123"), 403, "wrong_password"),
        (json!("SecurePass123 "), 403, "wrong_password"),
        (json!(""), 403, "wrong_password"),
        (json!(null), 422, "validation_failed"),
        (json!(5), 422, "validation_failed"),
        (json!(["SecurePass123"]), 422, "validation_failed"),
        (json!("a".repeat(60_000)), 422, "validation_failed"),
    ] {
        let body = json!({ "current_password": current, "new_password": NEW });
        app.post_as(&bob.access, CHANGE, body)
            .await
            .expect_problem(status, code);
    }
    app.post_as(&bob.access, CHANGE, json!({ "new_password": NEW }))
        .await
        .expect_problem(422, "validation_failed");
    app.post(
        CHANGE,
        json!({ "current_password": PASSWORD, "new_password": NEW }),
    )
    .await
    .expect_problem(401, "unauthenticated");
    assert_eq!(app.try_password(BOB, NEW).await, 401);
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
    app.get_as(&other.access, "/api/v1/users/me")
        .await
        .expect(200);
    let audit = app.audit().await;
    let failed = audit.iter().filter(|e| *e == "change_password failed");
    assert_eq!(failed.count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn v6_2_the_new_password_must_keep_the_rules() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for (new, repeated, broken) in [
        (json!(null), json!(null), "new_password: required"),
        (json!("Short1"), json!(null), "new_password: too_short"),
        (
            json!("nodigitshere"),
            json!(null),
            "new_password: password_weak",
        ),
        (
            json!("Password123"),
            json!(null),
            "new_password: password_blocklisted",
        ),
        (
            json!("UsherUsher1"),
            json!(null),
            "new_password: password_context",
        ),
        (
            json!(NEW),
            json!("Different456"),
            "confirm_password: mismatch",
        ),
        (json!("A1a\u{0}longer"), json!(null), "new_password: format"),
    ] {
        let body = json!({
            "current_password": PASSWORD, "new_password": new, "confirm_password": repeated,
        });
        let reply = app.post_as(&bob.access, CHANGE, body).await;
        assert_eq!(reply.violations(), [broken], "{}", reply.text);
        assert!(!reply.text.contains(NEW));
    }
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
    let long = "correct horse battery staple ".repeat(4);
    let mut current = PASSWORD;
    for new in [long.as_str(), "пароль-из-многих-букв", "AnotherPass456 "] {
        let body = json!({ "current_password": current, "new_password": new });
        app.post_as(&bob.access, CHANGE, body).await.expect(204);
        assert_eq!(app.try_password(BOB, new).await, 200);
        let trimmed = new.trim_end();
        assert!(trimmed == new || app.try_password(BOB, trimmed).await == 401);
        current = new;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_once_from_two_devices_one_wins() {
    let app = Arc::new(TestApp::start().await);
    let nodes = [Arc::clone(&app), Arc::new(app.start_node(2, &[]).await)];
    let (one, two) = (app.bob().await, app.sign_in(BOB).await);
    let passwords = ["Blue-Lamp-Forest-7", "Grey-Kettle-Ocean-8"];
    let posts = [&one, &two].into_iter().zip(passwords).map(|(bob, new)| {
        let body = json!({ "current_password": PASSWORD, "new_password": new });
        (Some(bob.access.clone()), CHANGE, body)
    });
    let replies = post_at_once(&nodes, posts.collect()).await;
    assert_eq!(count(&replies, 204), 1, "{replies:?}");
    assert_eq!(
        count(&replies, 403) + count(&replies, 401),
        1,
        "{replies:?}"
    );
    let winner = usize::from(replies[1].status == 204);
    assert_eq!(app.try_password(BOB, passwords[winner]).await, 200);
    assert_eq!(app.try_password(BOB, passwords[1 - winner]).await, 401);
    let live = "SELECT count(*) FROM user_sessions WHERE ended_at IS NULL";
    assert_eq!(
        app.db.number(live).await,
        2,
        "the winner's and the sign-in's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_a_giant_password_is_refused_unhashed() {
    let app = TestApp::start().await;
    let before = app.audit().await;
    for (size, status) in [(60_000, 422), (1_000_000, 413), (10_000_000, 413)] {
        let password = "Aa1".repeat(size / 3);
        for path in ["/api/v1/auth/login", "/api/v1/auth/register", "/signup"] {
            let body = json!({ "email": BOB, "password": password });
            let reply = app.post(path, body).await.expect(status);
            assert!(reply.text.len() < 4_000);
        }
    }
    assert_eq!(app.audit().await, before, "nothing was even tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_rules_are_told_to_anybody() {
    let app = TestApp::start().await;
    let reply = app
        .request(Method::GET, "/api/v1/auth/password-policy")
        .send()
        .await
        .expect(200);
    insta::assert_json_snapshot!(reply.body, @r#"
    {
      "blocklist": true,
      "composition_until": 15,
      "context_words": true,
      "max_length": 256,
      "min_length": 8,
      "profile": "tiered",
      "requires_digit": true,
      "requires_lowercase": true,
      "requires_uppercase": true
    }
    "#);
}
