//! Addresses and usernames at every door that takes one: too long, or one in the place of the other.

use crate::support::{
    TestApp,
    app::PASSWORD,
    client::RequestBuilder,
    people::{BOB, CAROL, Person},
};
use axum::http::Method;
use serde_json::{Value, json};

/// With this token, if it is one.
fn signed<'a>(request: RequestBuilder<'a>, token: &str) -> RequestBuilder<'a> {
    if token.is_empty() {
        return request;
    }
    request.bearer(token)
}

/// An operation with a body: method, whose token, path, body.
type Ask<'a> = (Method, &'a str, String, Value);

/// All that take an address, with this one in it.
fn that_take_an_address<'a>(bob: &'a Person, ada: &'a Person, email: &str) -> [Ask<'a>; 8] {
    let auth = |path: &str, body: Value| (Method::POST, "", format!("/api/v1/auth/{path}"), body);
    let named = json!({ "email": email, "password": PASSWORD, "full_name": "Bob", "country": "NL", "state_province": "NL-UT" });
    let own = json!({ "new_email": email, "password": PASSWORD });
    let at = format!("/api/v1/users/{}", bob.id);
    [
        auth("register", named.clone()),
        (Method::POST, "", "/signup".to_owned(), named),
        auth("login", json!({ "email": email, "password": PASSWORD })),
        auth("password-reset-request", json!({ "email": email })),
        auth("verify-email-request", json!({ "email": email })),
        (
            Method::POST,
            &bob.access,
            "/api/v1/auth/change-email".to_owned(),
            own,
        ),
        (
            Method::POST,
            &ada.access,
            "/api/v1/users".to_owned(),
            json!({ "email": email }),
        ),
        (Method::PATCH, &ada.access, at, json!({ "email": email })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn i8_an_address_that_is_too_long_is_refused_at_every_door() {
    let app = TestApp::start().await;
    let (bob, ada) = (app.bob().await, app.ada().await);
    let label = |length: usize| "d".repeat(length);
    let whole = format!("{}@{1}.{1}.{2}.io", "a".repeat(64), label(63), label(59));
    assert_eq!(whole.len(), 255);
    for email in [
        format!("{}@x.io", "a".repeat(65)),
        whole,
        format!("a@{}io", "x.".repeat(10_000)),
        format!("{}@x.io", "a".repeat(60_000)),
    ] {
        for (method, token, path, body) in that_take_an_address(&bob, &ada, &email) {
            let request = app.request(method.clone(), &path).json(body);
            let reply = signed(request, token).send().await;
            let told = reply.violations();
            let is_told = told == ["email: too_long"] || told == ["new_email: too_long"];
            assert!(is_told, "{method} {path}: {told:?}");
        }
    }
    let huge = format!("{}@x.io", "a".repeat(1_000_000));
    for (method, token, path, body) in that_take_an_address(&bob, &ada, &huge) {
        let request = app.request(method, &path).json(body);
        let reply = signed(request, token).send().await;
        reply.expect_problem(413, "payload_too_large");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i4_no_door_takes_an_address_for_a_username() {
    let app = TestApp::start().await;
    let (bob, ada) = (app.bob().await, app.ada().await);
    app.sign_up(CAROL).await;
    let at = format!("/api/v1/users/{}", bob.id);
    let doors = [
        (Method::POST, &bob, "/api/v1/auth/register"),
        (Method::POST, &bob, "/signup"),
        (Method::PUT, &bob, "/api/v1/users/me"),
        (Method::PATCH, &bob, "/api/v1/users/me"),
        (Method::POST, &ada, "/api/v1/users"),
        (Method::PATCH, &ada, &at),
    ];
    for name in [CAROL, "Carol@Example.COM", "carol@example", "@carol"] {
        for (method, who, path) in &doors {
            let mut body = json!({ "username": name });
            if *method == Method::POST {
                body = json!({
                    "email": "new@example.com", "password": PASSWORD, "username": name, "full_name": "New",
                    "country": "NL", "state_province": "NL-UT",
                });
            }
            let reply = app.ask(method.clone(), &who.access, path, body).await;
            assert_eq!(
                reply.violations(),
                ["username: format"],
                "{method} {path} {name}"
            );
        }
    }
    let named = "SELECT count(*) FROM users WHERE username IS NOT NULL";
    assert_eq!(app.db.number(named).await, 0);
    assert_eq!(app.try_password(BOB, PASSWORD).await, 200);
}
