//! In which bodies a picture may come, and how large.

use super::{AVATAR, assert_is_picture, flat};
use crate::support::{Reply, TestApp, people::Person};
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

const LIMIT: usize = 5 * 1024 * 1024;

/// A form of these parts: what follows `form-data;`, its type, its bytes.
fn form(parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (names, kind, bytes) in parts {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; {names}\r\nContent-Type: {kind}\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    body
}

async fn put_form(app: &TestApp, who: &Person, parts: &[(&str, &str, &[u8])]) -> Reply {
    app.put_avatar(who, "multipart/form-data; boundary=x", form(parts))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn v5_3_2_a_picture_may_come_in_a_form_and_its_name_means_nothing() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for (place, (names, kind)) in [
        ("name=\"file\"; filename=\"me.png\"", "image/png"),
        (
            "name=\"file\"; filename=\"../../etc/passwd\"",
            "application/octet-stream",
        ),
        ("name=\"file\"; filename=\"a.html\"", "image/webp"),
        ("name=\"file\"; filename=\"a\\\"; evil=1\"", "image/jpeg"),
        ("name=\"file\"", "image/png"),
    ]
    .into_iter()
    .enumerate()
    {
        let colour = [u8::try_from(place).unwrap(), 5, 5];
        let file = flat(colour);
        let reply = put_form(
            &app,
            &bob,
            &[("name=\"note\"", "text/plain", b"hi"), (names, kind, &file)],
        )
        .await;
        reply.expect(200);
        let served = app.get_as(&bob.access, AVATAR).await;
        assert_is_picture(&served, 512, colour);
        assert_eq!(
            served.header("content-disposition"),
            "inline; filename=\"avatar.png\""
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_a_picture_is_refused() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    for parts in [
        &[][..],
        &[("name=\"other\"", "image/png", &b"x"[..])],
        &[("name=\"file\"", "image/png", &b""[..])],
    ] {
        let reply = put_form(&app, &bob, parts).await;
        assert_eq!(reply.violations(), ["file: required"]);
    }
    let html = [(
        "name=\"file\"; filename=\"a.png\"",
        "text/html",
        &flat([1, 2, 3])[..],
    )];
    put_form(&app, &bob, &html)
        .await
        .expect_problem(415, "unsupported_media_type");
    for (kind, body) in [
        ("multipart/form-data", "--x--"),
        ("multipart/form-data; boundary=x", "no form"),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\ncut",
        ),
    ] {
        let reply = app.put_avatar(&bob, kind, body.into()).await;
        assert_eq!(reply.violations(), ["file: format"], "{body}");
    }
    let nothing = app.put_avatar(&bob, "image/png", Vec::new()).await;
    assert_eq!(nothing.violations(), ["file: required"]);
    app.assert_no_picture().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn x1_what_is_no_picture_is_refused_under_any_name_and_leaves_nothing() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let gif =
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    for content in [
        &svg[..],
        gif,
        b"<html><script>alert(1)</script>",
        b"PK\x03\x04zip",
    ] {
        for kind in [
            "image/png",
            "image/jpeg",
            "image/webp",
            "image/svg+xml",
            "image/gif",
        ] {
            let reply = app.put_avatar(&bob, kind, content.to_vec()).await;
            reply.expect_problem(415, "unsupported_media_type");
            let part = ("name=\"file\"; filename=\"me.png\"", kind, content);
            let reply = put_form(&app, &bob, &[part]).await;
            reply.expect_problem(415, "unsupported_media_type");
        }
    }
    for kind in [
        "image/svg+xml",
        "image/gif",
        "text/html",
        "application/octet-stream",
        "application/json",
        "",
    ] {
        let reply = app.put_avatar(&bob, kind, flat([1, 2, 3])).await;
        reply.expect_problem(415, "unsupported_media_type");
    }
    let cut = flat([1, 2, 3])[..60].to_vec();
    let reply = app.put_avatar(&bob, "image/png", cut).await;
    assert_eq!(reply.violations(), ["file: format"]);
    app.assert_no_picture().await;
    // The content decides, not the name that it comes under.
    app.put_avatar(&bob, "image/jpeg; charset=binary", flat([1, 2, 3]))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn v5_2_1_more_than_5_mib_is_refused_and_little_of_it_read() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    app.put_avatar(&bob, "image/png", vec![0; LIMIT])
        .await
        .expect(415);
    app.put_avatar(&bob, "image/png", vec![0; LIMIT + 1])
        .await
        .expect_problem(413, "payload_too_large");
    let file = vec![0; LIMIT + 1];
    put_form(&app, &bob, &[("name=\"file\"", "image/png", &file)])
        .await
        .expect_problem(413, "payload_too_large");
    let large_note = vec![b' '; LIMIT + 32 * 1024];
    put_form(&app, &bob, &[("name=\"note\"", "text/plain", &large_note)])
        .await
        .expect(413);

    let unending = |kind: &str, length: Option<usize>| {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&read);
        let chunks = stream::repeat_with(move || {
            counted.fetch_add(16 * 1024, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from_static(&[b' '; 16 * 1024]))
        });
        let request = app.request(Method::PUT, AVATAR).bearer(&bob.access);
        let request = request
            .header("content-type", kind)
            .body(Body::from_stream(chunks));
        let request = match length {
            Some(length) => request.header("content-length", &length.to_string()),
            None => request,
        };
        async move {
            (
                request.send().await.expect(413),
                read.load(Ordering::Relaxed),
            )
        }
    };
    let (_, read) = unending("image/png", Some(LIMIT + 1)).await;
    assert_eq!(read, 0, "the announced length is enough");
    for kind in ["image/png", "multipart/form-data; boundary=x"] {
        let (_, read) = unending(kind, None).await;
        assert!(read <= LIMIT + 256 * 1024, "{kind}: {read} bytes were read");
    }
    app.assert_no_picture().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_picture_is_read() {
    let app = TestApp::start().await;
    for token in [None, Some("garbage")] {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&read);
        let chunks = stream::repeat_with(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from_static(b"x"))
        });
        let mut request = app
            .request(Method::PUT, AVATAR)
            .header("content-type", "image/png");
        if let Some(token) = token {
            request = request.bearer(token);
        }
        request
            .body(Body::from_stream(chunks))
            .send()
            .await
            .expect(401);
        assert_eq!(read.load(Ordering::Relaxed), 0);
    }
}
