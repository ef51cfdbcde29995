//! What every answer carries.

use super::*;

#[tokio::test]
async fn every_answer_forbids_sniffing_framing_and_keeping() {
    for path in ["/health", "/nowhere", "/panic", "/page"] {
        let answer = Door::new().get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(
            answer.header("content-security-policy"),
            Some("default-src 'none'; frame-ancestors 'none'")
        );
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("server"), None);
        assert_eq!(answer.header("strict-transport-security"), None);
    }
}

#[tokio::test]
async fn only_a_handler_that_says_so_lets_its_answer_be_kept() {
    let door = Door::new();
    for path in [
        "/moved",
        "/no-token",
        "/old-token",
        "/internal",
        "/bare/429",
    ] {
        let answer = door.get_with(path, &[("authorization", "Bearer x")]).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let kept = door.get("/kept").await;
    assert_eq!(kept.header("cache-control"), Some("public, max-age=300"));
}

#[tokio::test]
async fn headers_that_are_no_text_are_survived() {
    for name in [
        "accept",
        "access-control-request-method",
        "authorization",
        "content-type",
        "origin",
        "user-agent",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-request-id",
    ] {
        let answer = Door::new().get_raw("/caller", name, b"\xff\xfe\x80").await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert_eq!(answer.header("x-request-id"), Some("made"), "{name}");
    }
}

#[tokio::test]
async fn https_is_pinned_behind_a_trusted_proxy_and_by_the_public_url() {
    let answer = Door::new()
        .get_with("/health", &[("x-forwarded-proto", "https")])
        .await;
    assert_eq!(
        answer.header("strict-transport-security"),
        Some("max-age=63072000; includeSubDomains")
    );
    let door = Door::with(|s, _| s.public_url = "https://id.example.org".parse().unwrap());
    assert!(
        door.get("/health")
            .await
            .header("strict-transport-security")
            .is_some()
    );
}

#[tokio::test]
async fn the_request_id_is_taken_if_sane_and_always_sent_back() {
    let door = Door::new();
    let taken = door.get_with("/caller", &[("x-request-id", "a.B-1")]).await;
    assert_eq!(taken.header("x-request-id"), Some("a.B-1"));
    assert_eq!(taken.body["request_id"], "a.B-1");
    let made = door.get_with("/nowhere", &[("x-request-id", "a b")]).await;
    assert_eq!(made.problem(), (404, "not_found"));
    assert_eq!(made.header("x-request-id"), Some("made"));
}

#[tokio::test]
async fn the_caller_is_known_by_address_and_agent() {
    let sent = [("x-forwarded-for", "1.1.1.1, 198.51.100.7")];
    let answer = Door::new().get_with("/caller", &sent).await;
    assert_eq!(answer.body["ip"], "198.51.100.7");
    let agent = [("user-agent", "Ünïcode/1")];
    let answer = Door::new().get_with("/caller", &agent).await;
    assert_eq!(answer.body["user_agent"], "Ünïcode/1");
}

#[tokio::test]
async fn a_trailing_slash_is_the_same_path() {
    assert_eq!(Door::new().get("/health/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    for (path, status) in [("/caller", 200), ("/nowhere", 404)] {
        let answer = Door::new()
            .ask(Method::HEAD, path, &[], Body::empty())
            .await;
        assert_eq!(answer.status.as_u16(), status);
        assert_eq!(answer.body, Value::Null, "{path}");
    }
}

#[tokio::test]
async fn in_development_any_origin_may_read_but_never_with_credentials() {
    let answer = Door::new()
        .get_with("/health", &[("origin", "https://app.example")])
        .await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for name in [
        "x-request-id",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "link",
        "etag",
        "location",
    ] {
        assert!(
            exposed.split(',').any(|exposed| exposed.trim() == name),
            "{name}"
        );
    }
}

#[tokio::test]
async fn only_a_listed_origin_may_read() {
    let listed = Origins::Listed(vec!["https://ok.example".to_owned()]);
    let door = Door::with(|s, _| s.allowed_origins = listed);
    for origin in [
        "https://evil.example",
        "null",
        "https://ok.example.evil",
        "http://ok.example",
        "https://ok.example:8443",
        "https://evilok.example",
        "https://OK.example",
    ] {
        let answer = door.get_with("/health", &[("origin", origin)]).await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            None,
            "{origin}"
        );
        assert!(answer.header("vary").unwrap().contains("origin"));
    }
    let answer = door
        .get_with("/health", &[("origin", "https://ok.example")])
        .await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://ok.example")
    );
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn a_preflight_allows_the_bearer_token() {
    let asked = [
        ("origin", "https://app.example"),
        ("access-control-request-method", "POST"),
    ];
    let answer = Door::new()
        .ask(Method::OPTIONS, "/login", &asked, Body::empty())
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let allowed = answer.header("access-control-allow-headers").unwrap();
    for name in [
        "authorization",
        "content-type",
        "idempotency-key",
        "traceparent",
        "tracestate",
    ] {
        assert!(allowed.contains(name), "{name}: {allowed}");
    }
    assert!(
        answer
            .header("access-control-allow-methods")
            .unwrap()
            .contains("DELETE")
    );
}

#[tokio::test]
async fn a_draining_node_closes_its_connections() {
    assert_eq!(Door::new().get("/health").await.header("connection"), None);
    let door = Door::with(|_, hooks| hooks.is_draining = Arc::new(|| true));
    assert_eq!(
        door.get("/health").await.header("connection"),
        Some("close")
    );
}
