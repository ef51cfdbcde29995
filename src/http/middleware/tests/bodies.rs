//! What bodies are taken.

use super::*;

async fn sent(media_type: &str, body: impl Into<Body>) -> Answer {
    let headers = [("content-type", media_type)];
    Door::new()
        .ask(Method::POST, "/echo", &headers, body.into())
        .await
}

#[tokio::test]
async fn json_is_read() {
    let answer = sent(
        "application/json; charset=utf-8",
        "{\"a\": \"\\u2028</script>\"}",
    )
    .await;
    assert_eq!(answer.body, json!({"a": "\u{2028}</script>"}));
}

#[tokio::test]
async fn forms_and_text_are_refused() {
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        assert_eq!(
            sent(media_type, "{}").await.problem(),
            (415, "unsupported_media_type")
        );
    }
    let answer = Door::new()
        .ask(Method::POST, "/echo", &[], Body::from("{}"))
        .await;
    assert_eq!(answer.problem(), (415, "unsupported_media_type"));
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let answer = Door::new()
        .ask(Method::POST, "/echo", &headers, Body::from("{}"))
        .await;
    assert_eq!(answer.problem(), (415, "unsupported_media_type"));
}

#[tokio::test]
async fn a_broken_body_is_refused_without_an_echo() {
    for body in [
        "",
        "{\"canary\"",
        "[\"canary\"]",
        "{\"canary\": 1, \"canary\": 2}",
        "{\"canary\": \"\\ud800\"}",
    ] {
        let answer = sent("application/json", body).await;
        assert_eq!(answer.problem(), (400, "malformed"), "{body}");
        assert!(!answer.body.to_string().contains("canary"));
    }
}

#[tokio::test]
async fn a_body_over_64_kib_is_refused() {
    let filled = |length: usize| format!("{{\"a\": \"{}\"}}", "x".repeat(length - 9));
    let fits = sent("application/json", filled(64 * 1024)).await;
    assert_eq!(fits.status, StatusCode::OK);
    let over = sent("application/json", filled(64 * 1024 + 1)).await;
    assert_eq!(over.problem(), (413, "payload_too_large"));
}
