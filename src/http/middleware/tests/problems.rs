//! Every failure is a problem that says for which request it is.

use super::*;

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let answer = Door::new().get("/nowhere/at%20all?token=secret").await;
    assert_eq!(answer.problem(), (404, "not_found"));
    assert_eq!(
        answer.body,
        json!({
            "type": "/problems/not_found", "title": "Not found", "status": 404, "code": "not_found",
            "detail": "There is nothing at this path.", "instance": "/nowhere/at%20all", "request_id": "made",
        })
    );
}

#[tokio::test]
async fn a_method_that_the_path_lacks_is_405_with_allow() {
    for method in [Method::GET, Method::DELETE, Method::OPTIONS, Method::TRACE] {
        let answer = Door::new().ask(method, "/login", &[], Body::empty()).await;
        assert_eq!(answer.problem(), (405, "method_not_allowed"));
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

#[tokio::test]
async fn a_panic_costs_one_request_and_tells_nothing() {
    let door = Door::new();
    let answer = door.get("/panic").await;
    assert_eq!(answer.problem(), (500, "internal"));
    assert!(!answer.body.to_string().contains("canary"));
    assert_eq!(door.get("/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_internal_error_tells_nothing() {
    let answer = Door::new().get("/internal").await;
    assert_eq!(answer.problem(), (500, "internal"));
    assert!(!answer.body.to_string().contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_is_cut_off() {
    let answer = Door::new().get("/slow").await;
    assert_eq!(answer.problem(), (503, "timeout"));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[tokio::test]
async fn a_malformed_id_is_the_same_404() {
    assert_eq!(
        Door::new().get("/things/1%00").await.problem(),
        (404, "not_found")
    );
}

#[tokio::test]
async fn broken_fields_are_listed() {
    let answer = Door::new().get("/invalid").await;
    assert_eq!(answer.problem(), (422, "validation_failed"));
    assert_eq!(
        answer.body["errors"],
        json!([{"field": "email", "code": "required", "message": "This field is required."}])
    );
}

#[tokio::test]
async fn a_page_is_left_alone() {
    let answer = Door::new().get("/page").await;
    assert_eq!(answer.status, StatusCode::GONE);
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
}

#[tokio::test]
async fn a_bare_refusal_for_now_says_when_to_come_back() {
    for status in ["429", "503"] {
        let answer = Door::new().get(&format!("/bare/{status}")).await;
        assert_eq!(answer.header("retry-after"), Some("1"), "{status}");
    }
}

#[tokio::test]
async fn every_bare_failure_is_put_into_words_by_its_status() {
    for (status, code) in [
        (400, "malformed"),
        (401, "unauthenticated"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (406, "not_acceptable"),
        (408, "timeout"),
        (413, "payload_too_large"),
        (414, "uri_too_long"),
        (415, "unsupported_media_type"),
        (422, "validation_failed"),
        (429, "rate_limited"),
        (431, "headers_too_large"),
        (500, "internal"),
        (503, "unavailable"),
    ] {
        let answer = Door::new()
            .get(&format!("/bare/{status}?token=secret"))
            .await;
        assert_eq!(answer.problem(), (status, code));
        assert_eq!(answer.body["instance"], format!("/bare/{status}"));
        assert!(!answer.body.to_string().contains("canary"));
    }
}

#[tokio::test]
async fn the_host_that_is_asked_for_shows_in_no_answer() {
    let door = Door::new();
    for (target, sent) in [
        (
            "http://evil.example/nowhere",
            [("host", "evil.example"), ("x-a", "a")],
        ),
        (
            "/nowhere",
            [
                ("host", "evil.example"),
                ("x-forwarded-host", "evil.example"),
            ],
        ),
        (
            "/nowhere",
            [("forwarded", "host=evil.example"), ("host", "evil.example")],
        ),
    ] {
        let answer = door.get_with(target, &sent).await;
        assert_eq!(answer.problem(), (404, "not_found"));
        let shown = format!("{:?} {}", answer.headers, answer.body);
        assert!(!shown.contains("evil"), "{shown}");
    }
}

#[tokio::test]
async fn a_401_says_how_to_authenticate() {
    let door = Door::new();
    let none = door.get("/no-token").await;
    assert_eq!(none.problem(), (401, "unauthenticated"));
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    let old = door.get("/old-token").await;
    assert_eq!(old.problem(), (401, "session_ended"));
    assert_eq!(
        old.header("www-authenticate"),
        Some("Bearer error=\"invalid_token\"")
    );
}

#[tokio::test]
async fn a_client_that_takes_no_json_gets_406() {
    let door = Door::new();
    let answer = door.get_with("/caller", &[("accept", "text/html")]).await;
    assert_eq!(answer.problem(), (406, "not_acceptable"));
    for accept in [
        "*/*",
        "application/*",
        "application/problem+json",
        "text/html, application/json;q=0.1",
    ] {
        let answer = door.get_with("/caller", &[("accept", accept)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{accept}");
    }
}
