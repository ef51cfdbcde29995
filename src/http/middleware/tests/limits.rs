//! Rate limits and bounds.

use super::*;

async fn login(door: &Door, headers: &[(&str, &str)]) -> Answer {
    door.ask(Method::POST, "/login", headers, Body::empty())
        .await
}

#[tokio::test]
async fn a_used_up_class_is_refused_and_noted() {
    let door = Door::limited();
    let first = login(&door, &[]).await;
    assert_eq!(first.header("ratelimit-policy"), Some("\"login\";q=2;w=60"));
    assert_eq!(first.header("ratelimit"), Some("\"login\";r=1;t=31"));
    login(&door, &[]).await;
    let third = login(&door, &[]).await;
    assert_eq!(third.problem(), (429, "rate_limited"));
    assert_eq!(third.header("retry-after"), Some("1"));
    assert_eq!(third.header("ratelimit"), Some("\"login\";r=0;t=31"));
    assert_eq!(door.refusals.load(Ordering::SeqCst), 1);
    assert_eq!(
        door.get("/caller").await.header("ratelimit-policy"),
        Some("\"api\";q=2;w=60")
    );
}

#[tokio::test]
async fn invented_addresses_do_not_escape_the_limit() {
    let door = Door::with(|settings, hooks| {
        settings.trusted_proxies.clear();
        hooks.check_rate = Arc::new(two_each());
    });
    let mut statuses = Vec::new();
    for number in 0..200 {
        let address = format!("198.51.100.{number}");
        let names = [
            "x-forwarded-for",
            "x-real-ip",
            "cf-connecting-ip",
            "true-client-ip",
        ];
        let mut headers: Vec<_> = names.iter().map(|name| (*name, address.as_str())).collect();
        let forwarded = format!("for={address}");
        headers.push(("forwarded", &forwarded));
        statuses.push(login(&door, &headers).await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 204).count(), 2);
    assert_eq!(door.refusals.load(Ordering::SeqCst), 198);
}

#[tokio::test]
async fn pages_are_limited_as_the_api_is() {
    let door = Door::limited();
    let sent = door
        .ask(Method::POST, "/forgot-password", &[], Body::empty())
        .await;
    assert_eq!(sent.header("ratelimit-policy"), Some("\"mail\";q=2;w=60"));
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_have_limits_of_their_own() {
    let door = Door::limited();
    for address in ["198.51.100.1", "198.51.100.2", "198.51.100.3"] {
        let answer = login(&door, &[("x-forwarded-for", address)]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn what_reports_on_the_service_is_not_limited() {
    let door = Door::limited();
    for _ in 0..4 {
        let answer = door.get("/health").await;
        assert_eq!(
            (answer.status, answer.header("ratelimit")),
            (StatusCode::OK, None)
        );
    }
}

#[tokio::test]
async fn an_overlong_request_line_or_head_is_refused() {
    let door = Door::new();
    let long = format!("/health?{}", "x".repeat(8 * 1024));
    assert_eq!(door.get(&long).await.problem(), (414, "uri_too_long"));
    let value = "x".repeat(16 * 1024);
    let answer = door.get_with("/health", &[("x-filler", &value)]).await;
    assert_eq!(answer.problem(), (431, "headers_too_large"));
}
