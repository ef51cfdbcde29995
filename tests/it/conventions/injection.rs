//! What stands in SQL for more than text is text wherever it is sent (ASVS 1.2.4).

use super::hostile::try_in_each_field;
use crate::{
    mail_requests::rows,
    support::{
        TestApp,
        document::{Document, target},
        people::BOB,
    },
};
use axum::http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use url::form_urlencoded::byte_serialize;

/// Those that wait, wait for half a minute.
const PAYLOADS: [&str; 9] = [
    "'",
    "\"",
    "' OR '1'='1",
    "%' OR '%'='",
    "' UNION SELECT NULL, NULL --",
    "'; SELECT pg_sleep(30) --",
    "'||(SELECT pg_sleep(30))||'",
    "' AND randomblob(2000000000) IS NULL --",
    "'; DROP TABLE users; --",
];
const PATIENCE: Duration = Duration::from_secs(15);

/// Nothing is found by it, and nothing is slow or broken.
async fn find(app: &TestApp, token: &str, at: &str) -> u16 {
    let begun = Instant::now();
    let reply = app.get_as(token, at).await;
    assert!(begun.elapsed() < PATIENCE, "{at} takes its time");
    assert!(reply.status < 500, "{at}: {}", reply.text);
    let found = reply.body["items"].as_array().map_or(0, Vec::len);
    assert_eq!(found, 0, "{at}: {}", reply.text);
    reply.status
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_2_4_no_parameter_of_any_list_is_read_as_sql() {
    let app = TestApp::start().await;
    let (ada, _) = (app.ada().await, app.bob().await);
    let before = rows(&app).await;
    let mut tried = 0;
    for operation in Document::of(&app).await.operations() {
        // Other paths go through the same handlers.
        if operation.method != Method::GET || !operation.path.starts_with("/api/v1/") {
            continue;
        }
        for payload in PAYLOADS {
            let payload: String = byte_serialize(payload.as_bytes()).collect();
            let payload = payload.replace('+', "%20");
            for name in &operation.query {
                tried += 1;
                find(
                    &app,
                    &ada.access,
                    &format!("{}?{name}={payload}", operation.target()),
                )
                .await;
            }
            if operation.path.contains('{') {
                tried += 1;
                let at = target(&operation.path, &payload);
                assert_eq!(find(&app, &ada.access, &at).await, 404, "{at}");
            }
        }
    }
    assert!(tried > 200, "only {tried} tries");
    let after = rows(&app).await;
    for (table, count) in before
        .iter()
        .filter(|(table, _)| !table.starts_with("audit_"))
    {
        assert_eq!(count, &after[table], "{table}");
    }
}

/// One that waits is ended by the limit of a request, which is a fault.
#[tokio::test(flavor = "multi_thread")]
async fn v1_2_4_no_field_of_any_body_is_read_as_sql() {
    try_in_each_field(&[
        json!("'||(SELECT pg_sleep(30))||'"),
        json!("\\'); DROP TABLE users; --"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v1_2_4_nobody_signs_in_by_sql_or_by_a_header() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for payload in PAYLOADS {
        for (email, password) in [(payload, "SecurePass123"), (BOB, payload)] {
            let form = json!({ "email": email, "password": password });
            let reply = app.post("/login", form).await;
            assert!(
                matches!(reply.status, 401 | 422),
                "{payload}: {}",
                reply.text
            );
            assert_eq!(reply.body["access_token"], Value::Null);
        }
        for name in [
            "authorization",
            "x-forwarded-for",
            "user-agent",
            "x-request-id",
            "if-none-match",
        ] {
            let request = app
                .request(Method::GET, "/api/v1/users/me")
                .header(name, payload);
            let reply = request.send().await;
            assert_eq!(reply.status, 401, "{name}: {payload}: {}", reply.text);
        }
        let keyed = app.request(Method::POST, "/api/v1/auth/logout-all");
        let keyed = keyed.header("idempotency-key", payload).bearer("x").send();
        assert!(matches!(keyed.await.status, 401 | 422), "{payload}");
    }
    app.get_as(&bob.access, "/api/v1/users/me")
        .await
        .expect(200);
}
