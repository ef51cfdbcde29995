//! What bodies every operation takes: JSON objects of bounded size in one reading, and nothing else.

use crate::{
    access::is_for_staff,
    support::{Reply, TestApp, document::Document, people::Person},
};
use axum::{body::Body, http::Method};
use bytes::Bytes;
use futures_util::stream;
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const LIMIT: usize = 64 * 1024;

/// Sends these bytes to every operation that takes JSON, signed in.
async fn to_all(
    app: &TestApp,
    bob: &Person,
    media_type: &str,
    body: &[u8],
) -> Vec<(String, Reply)> {
    let mut told = Vec::new();
    let ada = app.ada().await;
    for operation in Document::of(app).await.with_body() {
        let who = if is_for_staff(&operation) { &ada } else { bob };
        let request = operation
            .request(app)
            .bearer(&who.access)
            .header("content-type", media_type)
            .body(body.to_vec());
        told.push((operation.place(), request.send().await));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_no_operation_takes_what_a_form_of_another_site_can_send() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for media_type in [
        "text/plain",
        "text/plain; charset=utf-8; a=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json, text/plain",
        "application/json; charset=utf-16",
    ] {
        for (place, reply) in to_all(&app, &bob, media_type, b"{}").await {
            assert_eq!(reply.status, 415, "{place} {media_type}: {}", reply.text);
            reply.expect_problem(415, "unsupported_media_type");
        }
    }
    let rows = app
        .db
        .number("SELECT count(*) FROM audit_log WHERE outcome <> 'success'");
    assert_eq!(rows.await, 0, "a body that is not read has no effect");
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_what_a_form_can_send_is_refused_also_where_no_body_is_needed() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let mut tried = 0;
    for operation in Document::of(&app).await.operations() {
        let takes_pictures = operation.method == Method::PUT && operation.path.ends_with("/avatar");
        if operation.method == Method::GET || operation.body.is_some() || takes_pictures {
            continue;
        }
        tried += 1;
        let place = operation.place();
        assert!(
            !operation.described["responses"]["415"].is_null(),
            "{place}"
        );
        for media_type in [
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
            Some("application/json; charset=utf-16"),
            None,
        ] {
            let request = operation.request(&app).bearer(&bob.access).body("a=b");
            let request = match media_type {
                Some(media_type) => request.header("content-type", media_type),
                None => request,
            };
            let reply = request.send().await;
            assert_eq!(reply.status, 415, "{place} {media_type:?}: {}", reply.text);
            reply.expect_problem(415, "unsupported_media_type");
        }
    }
    assert!(tried > 15, "only {tried} operations");
    // None of them has ended the session; and a form without a field is no body.
    let logout = app.request(Method::POST, "/logout").bearer(&bob.access);
    let logout = logout.form(&[]).send().await;
    logout.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn d5_every_operation_refuses_json_that_readers_disagree_about() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let email = "\"email\": \"a@example.com\"";
    let deep = format!("{{\"email\": {}", "[".repeat(60_000));
    let long = format!("{{\"email\": {}}}", "9".repeat(60_000));
    let bodies: [(&str, Vec<u8>); 16] = [
        ("nothing", Vec::new()),
        ("an array", b"[]".to_vec()),
        ("text", b"\"email\"".to_vec()),
        ("null", b"null".to_vec()),
        ("two values", b"{}{}".to_vec()),
        ("a cut end", format!("{{{email}").into_bytes()),
        ("a name twice", format!("{{{email}, {email}}}").into_bytes()),
        ("NaN", b"{\"email\": NaN}".to_vec()),
        ("infinity", b"{\"email\": 1e999}".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{}".to_vec()),
        ("a lone surrogate", b"{\"email\": \"\\ud800\"}".to_vec()),
        ("broken UTF-8", b"{\"email\": \"\xff\xfe\"}".to_vec()),
        ("UTF-16", b"{\0}\0".to_vec()),
        ("a comment", b"{/**/}".to_vec()),
        ("depth", deep.into_bytes()),
        ("a long number", long.into_bytes()),
    ];
    for (what, body) in bodies {
        for (place, reply) in to_all(&app, &bob, "application/json", &body).await {
            let may_be_left_out = place.contains("verif") && reply.status == 202
                || place.ends_with("/upgrade") && reply.status == 200;
            let is_read = what == "a long number" && reply.status == 422
                || what == "nothing" && may_be_left_out;
            let is_refused = reply.status == 400 && reply.body["code"] == "malformed";
            assert!(is_read || is_refused, "{place}: {what}: {}", reply.text);
            assert!(!reply.text.contains("a@example.com"), "{place}: {what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_refused() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let body = |length: usize| format!("{{\"x\": \"{}\"}}", "x".repeat(length - 9)).into_bytes();
    assert_eq!(body(LIMIT).len(), LIMIT);
    for (place, reply) in to_all(&app, &bob, "application/json", &body(LIMIT)).await {
        // A change of nothing is fine, and so is an upgrade for good; everything else misses its fields.
        let is_change = !place.starts_with("POST") || place.ends_with("/upgrade");
        let is_read = matches!(reply.status, 202 | 400..=499) || (is_change && reply.status == 200);
        assert!(is_read, "{place}: {}", reply.text);
        assert_ne!(reply.status, 413, "{place}");
    }
    for (place, reply) in to_all(&app, &bob, "application/json", &body(LIMIT + 1)).await {
        assert_eq!(reply.status, 413, "{place}: {}", reply.text);
        reply.expect_problem(413, "payload_too_large");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d3_of_a_body_without_end_little_is_read() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for operation in Document::of(&app).await.with_body() {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&read);
        let chunks = stream::repeat_with(move || {
            counted.fetch_add(16 * 1024, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from_static(&[b' '; 16 * 1024]))
        });
        let request = operation
            .request(&app)
            .bearer(&bob.access)
            .header("content-type", "application/json")
            .body(Body::from_stream(chunks));
        let reply = request.send().await;
        let place = operation.place();
        assert_eq!(reply.status, 413, "{place}: {}", reply.text);
        let read = read.load(Ordering::Relaxed);
        assert!(read <= 2 * LIMIT, "{place}: {read} bytes were read");
    }
}
