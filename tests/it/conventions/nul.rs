//! U+0000 in every place where the document says that a value goes, and on the wire where none goes: refused, never taken.

use super::hostile::{send, somebody};
use crate::support::{
    TestApp,
    database::TestDatabase,
    document::{Document, NO_ID, Operation, target},
    process::Service,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The body with one of its values replaced, once for each, however deep it lies; and with one of its inner names.
fn with_each_value_replaced(body: &Value, by: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut places: Vec<String> = vec![String::new()];
    while let Some(place) = places.pop() {
        let inner: Vec<String> = match body.pointer(&place).unwrap() {
            Value::Object(fields) => fields.keys().cloned().collect(),
            Value::Array(items) => (0..items.len()).map(|at| at.to_string()).collect(),
            _ => Vec::new(),
        };
        places.extend(inner.into_iter().map(|name| format!("{place}/{name}")));
        if place.is_empty() {
            continue;
        }
        let mut changed = body.clone();
        let value = changed.pointer_mut(&place).unwrap();
        if let Value::Object(fields) = value {
            let mut named = fields.clone();
            named.insert(by.to_owned(), json!(1));
            let mut renamed = body.clone();
            *renamed.pointer_mut(&place).unwrap() = Value::Object(named);
            all.push((format!("a name in {place}"), renamed));
        }
        *value = json!(by);
        all.push((place, changed));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_nul_in_any_field_of_any_operation_is_refused() {
    let app = TestApp::start().await;
    let (mut tried, mut deep) = (0, 0);
    for (number, operation) in Document::of(&app).await.with_body().iter().enumerate() {
        let person = somebody(&app, number, operation).await;
        let body = operation.body.as_ref().unwrap();
        for nul in ["\0", "a\0b@example.com", "Abcdef12\0x"] {
            for (field, body) in with_each_value_replaced(body, nul) {
                let is_deep = field.matches('/').count() > 1;
                if is_deep && nul != "\0" {
                    continue;
                }
                tried += 1;
                deep += usize::from(is_deep);
                let reply = send(&app, operation, &person, body).await;
                let place = operation.place();
                assert!(
                    matches!(reply.status, 400 | 422),
                    "{place} {field}: {} {}",
                    reply.status,
                    reply.text
                );
            }
        }
    }
    assert!(tried > 150 && deep > 15, "only {tried} tries, {deep} deep");
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_nul_in_any_path_or_query_is_taken_from_nobody() {
    let app = TestApp::start().await;
    let changes_oneself = |operation: &Operation| {
        operation.id.starts_with("logout") || operation.id.starts_with("delete_me")
    };
    let people = [app.pia().await, app.ada().await];
    let mut tried = 0;
    for operation in Document::of(&app).await.operations() {
        if operation.body.is_some() || changes_oneself(&operation) {
            continue;
        }
        let mut targets = Vec::new();
        if operation.path.contains('{') {
            targets.push(target(&operation.path, &format!("{NO_ID}%00")));
        }
        let fields = operation.query.iter();
        targets.extend(fields.map(|name| format!("{}?{name}=a%00b", operation.target())));
        for (at, person) in targets
            .iter()
            .flat_map(|at| people.iter().map(move |who| (at, who)))
        {
            tried += 1;
            let request = app.request(operation.method.clone(), at);
            let status = request.bearer(&person.access).send().await.status;
            let who = &person.email;
            assert!(
                (400..500).contains(&status),
                "{} {at} as {who}: {status}",
                operation.method
            );
        }
    }
    assert!(tried > 100, "only {tried} tries");
}

#[tokio::test(flavor = "multi_thread")]
async fn i6_a_raw_nul_in_a_header_or_the_request_line_is_refused() {
    let db = TestDatabase::create().await;
    let service = Service::start(&db, &[]).await;
    let get = "GET /api/v1/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let mut requests: Vec<String> = [
        "Authorization: Bearer ",
        "Cookie: session=",
        "User-Agent: ",
        "X-Request-ID: ",
        "Accept-Language: ",
        "If-Match: ",
        "X-Forwarded-For: ",
    ]
    .iter()
    .map(|field| format!("{get}{field}a\0b\r\n\r\n"))
    .collect();
    requests.push(format!("{get}X-\0Name: a\r\n\r\n"));
    requests.push(get.replace("/me", "/m\0e") + "\r\n");
    requests.push(get.replace("/me", "/me?a=\0") + "\r\n");
    for request in requests {
        let mut stream = TcpStream::connect(service.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.unwrap();
        let reply = String::from_utf8_lossy(&reply);
        assert!(reply.starts_with("HTTP/1.1 400 "), "{request:?}: {reply}");
    }
    service.stop().await;
}
