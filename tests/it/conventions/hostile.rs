//! Hostile values in every place where the document says that a value goes: answered for what they are, never a fault.

use crate::{
    access::is_for_staff,
    support::{
        Reply, TestApp,
        document::{Document, NO_ID, Operation, target},
        people::Person,
    },
};
use axum::http::Method;
use serde_json::{Value, json};

/// The documented body with one of its texts replaced, once for each.
fn with_each_text_replaced(body: &Value, by: &Value) -> Vec<(String, Value)> {
    let fields = body.as_object().unwrap();
    let replaced = fields.keys().map(|name| {
        let mut changed = body.clone();
        changed[name] = by.clone();
        (name.clone(), changed)
    });
    replaced.collect()
}

/// Somebody who may ask for it; another one each time, as an operation on one's account leaves little of it.
pub async fn somebody(app: &TestApp, number: usize, operation: &Operation) -> Person {
    if is_for_staff(operation) {
        return app.ada().await;
    }
    app.person(&format!("somebody{number}@example.com")).await
}

pub async fn send(app: &TestApp, operation: &Operation, person: &Person, body: Value) -> Reply {
    let request = operation.request(app).bearer(&person.access);
    request.json(body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_5_2_a_number_or_nothing_in_place_of_a_text_is_no_fault() {
    try_in_each_field(&[json!(null), json!(true), json!(-1), json!(1e308)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_5_2_a_list_or_an_object_in_place_of_a_text_is_no_fault() {
    let kinds = [
        json!([]),
        json!(["a@example.com"]),
        json!({}),
        json!({ "$ne": "" }),
    ];
    try_in_each_field(&kinds).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_5_2_a_strange_text_is_no_fault() {
    let kinds = [
        json!("x".repeat(60_000)),
        json!("\u{feff}\u{202e}\u{2028}\u{10ffff}"),
        json!("' OR 1=1; --"),
        json!("%2561@x.io"),
    ];
    try_in_each_field(&kinds).await;
}

/// Puts each value into each text of each operation's body: none is a fault, and one of another kind is refused.
pub async fn try_in_each_field(kinds: &[Value]) {
    let app = TestApp::start().await;
    for (number, operation) in Document::of(&app).await.with_body().iter().enumerate() {
        let person = somebody(&app, number, operation).await;
        let body = operation.body.as_ref().unwrap();
        for kind in kinds {
            for (field, body) in with_each_text_replaced(body, kind) {
                // As documented, and then it may end the account.
                if operation.body.as_ref() == Some(&body) {
                    continue;
                }
                let reply = send(&app, operation, &person, body).await;
                let place = operation.place();
                assert!(reply.status < 500, "{place} {field} {kind}: {}", reply.text);
                // A number or a list where a text belongs is told of; null may mean that it is left out.
                let is_other = std::mem::discriminant(kind)
                    != std::mem::discriminant(&operation.body.as_ref().unwrap()[&field]);
                let wrong = is_other && (kind.is_number() || kind.is_array() || kind.is_object());
                if wrong {
                    assert_eq!(reply.status, 422, "{place} {field} {kind}: {}", reply.text);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_nul_and_broken_text_in_any_path_or_query_is_no_fault() {
    let app = TestApp::start().await;
    let hostile = [
        "%00",
        "a%00b",
        "%ff",
        "%c0%ae",
        "%25%30%30",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "%5c",
        "%0d%0aX-Evil:1",
        "'%20OR%201=1",
        "9223372036854775808",
        "%F0%9F%92%A9",
    ];
    let harmless = |operation: &Operation| {
        let ends_something =
            operation.id.starts_with("logout") || operation.id.starts_with("delete_me");
        operation.body.is_none() && !ends_something
    };
    let bob = app.bob().await;
    let all = Document::of(&app).await.operations();
    for operation in all.into_iter().filter(harmless) {
        for value in hostile {
            let mut targets = vec![format!("{}?{value}={value}", operation.target())];
            if operation.path.contains('{') {
                targets.push(target(&operation.path, value));
                targets.push(target(&operation.path, &format!("{NO_ID}{value}")));
            }
            let fields = operation.query.iter();
            targets.extend(fields.map(|name| format!("{}?{name}={value}", operation.target())));
            for at in targets {
                let request = app.request(operation.method.clone(), &at);
                let reply = request.bearer(&bob.access).send().await;
                assert!(
                    reply.status < 500,
                    "{} {at}: {}",
                    operation.method,
                    reply.text
                );
                assert_eq!(reply.header("x-evil"), "");
                if at.contains(&format!("/{value}")) || at.contains(&format!("{NO_ID}{value}")) {
                    assert_eq!(reply.status, 404, "{} {at}", operation.method);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_bytes_that_are_no_text_in_any_header_are_no_fault() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let login = json!({ "email": bob.email, "password": crate::support::app::PASSWORD });
    for name in [
        "accept-language",
        "cookie",
        "if-match",
        "traceparent",
        "user-agent",
        "x-forwarded-for",
        "x-request-id",
    ] {
        for value in [
            "\u{80}\u{ff}",
            "\u{202e}",
            "\t",
            "' OR 1=1",
            "00-x",
            &"9".repeat(4_000),
        ] {
            let request = app.request(Method::POST, "/api/v1/auth/login");
            let reply = request.header(name, value).json(login.clone()).send().await;
            assert_eq!(reply.status, 200, "{name}: {value}: {}", reply.text);
            let request = app.request(Method::POST, "/api/v1/auth/login");
            let keyed = request.header("idempotency-key", value).json(login.clone());
            let status = keyed.send().await.status;
            assert!(matches!(status, 200 | 422), "{value}: {status}");
        }
    }
}
