//! The conventions of API.md, held against every operation of the document; the frame itself is proven beside it.

mod bodies;
mod collections;
mod framing;
mod hostile;
mod injection;
mod mailed_links;
mod names;
mod nul;
mod reads;

use crate::support::{
    Reply, TestApp,
    app::PRODUCTION,
    document::{Document, Operation},
    people::{BOB, Person},
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

/// A request of an operation that Bob may make, by his own token.
async fn by_bob(app: &TestApp, bob: &Person, operation: &Operation) -> Reply {
    let mut request = operation.request(app).bearer(&bob.access);
    if operation.body.is_some() {
        request = request.json(serde_json::json!({}));
    }
    request.send().await
}

/// What may be kept: the same for everybody.
const PUBLIC: [&str; 1] = ["/.well-known/jwks.json"];

#[track_caller]
fn assert_is_armoured(reply: &Reply, place: &str) {
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{place}");
    assert_eq!(reply.header("x-frame-options"), "DENY", "{place}");
    assert_eq!(reply.header("referrer-policy"), "no-referrer", "{place}");
    let policy = reply.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{place}: {policy}");
    assert!(
        policy.contains("frame-ancestors 'none'"),
        "{place}: {policy}"
    );
    assert!(!reply.header("x-request-id").is_empty(), "{place}");
    assert_eq!(reply.header("server"), "", "{place}");
    let media_type = reply.header("content-type");
    let is_declared = media_type.contains("json") || media_type.contains("charset=utf-8");
    assert!(
        is_declared || reply.text.is_empty(),
        "{place}: {media_type}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_every_answer_of_every_operation_is_armoured_and_not_kept() {
    let app = TestApp::start().await;
    let mut bob = app.bob().await;
    for (number, operation) in Document::of(&app).await.operations().iter().enumerate() {
        let place = operation.place();
        let me = app.get_as(&bob.access, "/api/v1/users/me").await;
        if me.status != 200 {
            // The operation before has ended the session or the account.
            bob = app.person(&format!("bob{number}@example.com")).await;
        }
        let anonymous = operation.request(&app).send().await;
        let signed_in = by_bob(&app, &bob, operation).await;
        let unknown_type = operation
            .request(&app)
            .header("content-type", "text/plain")
            .bearer(&bob.access)
            .send()
            .await;
        for reply in [anonymous, signed_in, unknown_type] {
            assert_ne!(reply.status, 429, "{place}");
            assert_is_armoured(&reply, &place);
            if !PUBLIC.contains(&operation.path.as_str()) {
                assert_eq!(reply.header("cache-control"), "no-store", "{place}");
                assert!(is_version_or_nothing(reply.header("etag")), "{place}");
            }
        }
    }
}

/// A validator of what is personal tells its version, never its content.
fn is_version_or_nothing(etag: &str) -> bool {
    let version = etag
        .strip_prefix('"')
        .and_then(|etag| etag.strip_suffix('"'));
    etag.is_empty() || version.is_some_and(|version| version.parse::<i64>().is_ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_4_3_every_page_is_armoured_against_framing_and_foreign_scripts() {
    let app = TestApp::start_with(&[("MAIL_TRANSPORT", "mailbox")]).await;
    for path in [
        "/accept-invitation",
        "/confirm-email-change",
        "/docs",
        "/forgot-password",
        "/redoc",
        "/resend-verification",
        "/reset-password",
        "/undo-email-change",
        "/verify-email?token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "/verify-email?token=no-token",
    ] {
        let page = app.request(Method::GET, path).header("accept", "text/html");
        let page = page.send().await;
        assert_is_armoured(&page, path);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("base-uri 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src 'unsafe"), "{path}: {policy}");
        assert!(!policy.contains("http"), "{path}: {policy}");
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn v14_2_5_a_path_with_a_tail_is_another_path() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for base in ["/users/me", "/api/v1/users/me", "/auth/me"] {
        for tail in [
            "/x.css", "/.css", "%2fx.css", ";x.css", "%3bx.css", ".css", "%00.css", "/..%2fme",
        ] {
            let path = format!("{base}{tail}");
            let reply = app.get_as(&bob.access, &path).await;
            assert_eq!(reply.status, 404, "{path}: {}", reply.text);
            assert!(!reply.text.contains(BOB), "{path}");
            assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_json_operation_tells_who_takes_no_json() {
    // These answer people or machines that do not read JSON.
    const OTHERS: [&str; 4] = [
        "/.well-known/change-password",
        "/auth/verify-email",
        "/metrics",
        "/verify-email",
    ];
    let app = TestApp::start().await;
    for operation in Document::of(&app).await.operations() {
        let html = operation.request(&app).header("accept", "text/html");
        let html = html.send().await;
        let is_documented = !operation.described["responses"]["406"].is_null();
        let answers = !OTHERS.contains(&operation.path.as_str());
        assert_eq!(html.status == 406, answers, "{}", operation.place());
        assert!(is_documented || !answers, "{}", operation.place());
        let image = operation.request(&app).header("accept", "image/gif");
        let image = image.send().await;
        assert_eq!(image.status == 406, is_documented, "{}", operation.place());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h3_production_lets_the_named_front_end_read_and_no_other() {
    let settings = [PRODUCTION, &[("ALLOWED_ORIGINS", "https://app.example")]].concat();
    let named = TestApp::start_with(&settings).await;
    let closed = TestApp::start_with(PRODUCTION).await;
    let origin_of = async |app: &TestApp, origin: &str| {
        let request = app.request(Method::GET, "/health").header("origin", origin);
        let reply = request.send().await.expect(200);
        assert_eq!(reply.header("access-control-allow-credentials"), "");
        reply.header("access-control-allow-origin").to_owned()
    };
    assert_eq!(
        origin_of(&named, "https://app.example").await,
        "https://app.example"
    );
    for origin in ["https://evil.example", "null", "http://app.example", "*"] {
        assert_eq!(origin_of(&named, origin).await, "", "{origin}");
        assert_eq!(origin_of(&closed, origin).await, "", "{origin}");
    }
    assert_eq!(origin_of(&closed, "https://app.example").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_a_limited_operation_says_how_much_is_left_and_when_to_come_back() {
    let app = TestApp::start_with(&[("RATE_LIMIT_LOGIN", "2/1m")]).await;
    let wrong = json!({ "email": BOB, "password": "WrongPass123" });
    let login = || app.post("/api/v1/auth/login", wrong.clone());
    for left in [1, 0] {
        let reply = login().await.expect_problem(401, "invalid_credentials");
        assert_eq!(reply.header("ratelimit-policy"), "\"login\";q=2;w=60");
        assert!(reply.header("ratelimit").contains(&format!(";r={left};")));
    }
    let refused = login().await.expect_problem(429, "rate_limited");
    let pause: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&pause), "{pause}");
    app.advance(TimeDelta::seconds(pause));
    login().await.expect_problem(401, "invalid_credentials");
}
