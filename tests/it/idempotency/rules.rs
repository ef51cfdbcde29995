//! Which requests a key is for, what is a key, and which answers are kept.

use super::{KEY, LOGIN, login};
use crate::support::{TestApp, document::Document, people::BOB};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_let_nobody_in_and_what_was_a_limit_is_tried_again() {
    let app = TestApp::start_with(&[("RATE_LIMIT_ACCOUNT", "2/1m")]).await;
    app.bob().await;
    let wrong = json!({ "email": BOB, "password": "WrongPass123" });
    for _ in 0..2 {
        app.advance(TimeDelta::minutes(5));
        app.post_once(KEY, None, (LOGIN, &wrong))
            .await
            .expect_problem(401, "invalid_credentials");
    }
    assert_eq!(app.keys().await, 0);
    app.advance(TimeDelta::minutes(5));
    let mut limited = 0;
    for number in 0..4 {
        let key = format!("{KEY}{number}");
        let reply = app.post_once(&key, None, (LOGIN, &login())).await;
        limited += usize::from(reply.status == 429);
    }
    assert!(limited > 0);
    let kept = i64::try_from(4 - limited).unwrap();
    assert_eq!(app.keys().await, kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused() {
    let app = TestApp::start().await;
    app.bob().await;
    for key in ["", " ", "a\tb", "\u{e9}", &"x".repeat(256)] {
        let reply = app.post_once(key, None, (LOGIN, &login())).await;
        assert_eq!(reply.violations(), ["Idempotency-Key: format"], "{key}");
    }
    let twice = app
        .request(Method::POST, LOGIN)
        .header("idempotency-key", "a");
    let twice = twice
        .header("idempotency-key", "a")
        .json(login())
        .send()
        .await;
    assert_eq!(twice.violations(), ["Idempotency-Key: format"]);
    app.post_once(&"x".repeat(255), None, (LOGIN, &login()))
        .await
        .expect(200);
    assert_eq!(app.keys().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_post_of_the_document_takes_a_key_and_nothing_else_does() {
    let app = TestApp::start().await;
    for operation in Document::of(&app).await.operations() {
        let parameters = operation.described["parameters"].as_array();
        let takes = parameters
            .into_iter()
            .flatten()
            .any(|parameter| parameter["name"] == "Idempotency-Key");
        assert_eq!(
            takes,
            operation.method == Method::POST,
            "{}",
            operation.place()
        );
        if takes {
            for status in ["409", "422"] {
                assert!(
                    !operation.described["responses"][status].is_null(),
                    "{}",
                    operation.place()
                );
            }
            let long = operation
                .request(&app)
                .header("idempotency-key", &"x".repeat(256))
                .send()
                .await;
            assert_eq!(
                long.violations(),
                ["Idempotency-Key: format"],
                "{}",
                operation.place()
            );
        }
    }
}
