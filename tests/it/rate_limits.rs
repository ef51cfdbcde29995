//! How often something may be tried, by whom it is counted, and how it is told.

use crate::support::{
    Reply, TestApp,
    app::{ADA, PASSWORD},
    people::BOB,
};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

const LOGIN: &str = "/api/v1/auth/login";
const WRONG: &str = "WrongPass123";

fn guess(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

/// What a refusal says (T11).
fn refused(reply: Reply) -> u64 {
    let reply = reply.expect_problem(429, "rate_limited");
    let pause: u64 = reply.header("retry-after").parse().unwrap();
    assert!(pause >= 1);
    assert!(reply.header("ratelimit").contains(";r=0;"));
    pause
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_every_class_counts_for_itself_and_says_how_far_one_is() {
    let settings = ["LOGIN", "REGISTER", "MAIL", "REFRESH", "API"];
    let settings: Vec<_> = settings.map(|class| format!("RATE_LIMIT_{class}")).into();
    let settings: Vec<_> = settings
        .iter()
        .map(|name| (name.as_str(), "2/1m"))
        .collect();
    let app = TestApp::start_with(&settings).await;
    let nobody = || json!({ "email": "nobody@example.com" });
    let refresh = json!({ "refresh_token": "x" });
    for (class, status, path, body) in [
        ("login", 401, LOGIN, guess("nobody@example.com", WRONG)),
        ("register", 422, "/api/v1/auth/register", json!({})),
        ("mail", 202, "/api/v1/auth/password-reset-request", nobody()),
        ("refresh", 401, "/api/v1/auth/refresh", refresh),
        ("api", 401, "/api/v1/auth/logout", json!({})),
    ] {
        for (left, reset) in [(1, 30), (0, 60)] {
            let reply = app.post(path, body.clone()).await.expect(status);
            let policy = format!("\"{class}\";q=2;w=60");
            assert_eq!(reply.header("ratelimit-policy"), policy);
            assert_eq!(
                reply.header("ratelimit"),
                format!("\"{class}\";r={left};t={reset}")
            );
            assert_eq!(reply.header("retry-after"), "");
        }
        let past = app.post(path, body.clone()).await;
        if class == "mail" {
            // Whoever asks for a mail is always answered alike.
            let past = past.expect(202);
            assert_eq!(past.header("ratelimit"), "\"mail\";r=0;t=60");
            assert_eq!(past.header("retry-after"), "");
        } else {
            assert_eq!(refused(past), 30, "{class}");
        }
        let neighbour = app.request(Method::POST, path).from("192.0.2.2");
        neighbour.json(body).send().await.expect(status);
    }
    app.advance(TimeDelta::seconds(29));
    assert_eq!(refused(app.post(LOGIN, guess(ADA, PASSWORD)).await), 1);
    app.advance(TimeDelta::seconds(1));
    app.post(LOGIN, guess(ADA, PASSWORD)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_of_an_operation_draws_on_one_account() {
    let app = TestApp::start_with(&[("RATE_LIMIT_LOGIN", "3/1m")]).await;
    for path in [LOGIN, "/login", "/auth/login"] {
        app.post(path, guess(BOB, WRONG)).await.expect(401);
    }
    for path in [LOGIN, "/login", "/auth/login", "/login/", "//login"] {
        let status = app.post(path, guess(BOB, WRONG)).await.status;
        assert!([429, 404].contains(&status), "{path}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t1_invented_addresses_do_not_escape_the_limit() {
    let app = TestApp::start_with(&[("RATE_LIMIT_LOGIN", "10/1m")]).await;
    let mut judged = 0;
    for n in 0..200 {
        let address = format!("203.0.113.{n}");
        let mut request = app.request(Method::POST, LOGIN);
        for name in [
            "x-forwarded-for",
            "x-real-ip",
            "cf-connecting-ip",
            "true-client-ip",
        ] {
            request = request.header(name, &address);
        }
        request = request.header("forwarded", &format!("for={address}"));
        let body = guess(&format!("nobody{n}@example.com"), WRONG);
        let reply = request.json(body).send().await;
        judged += usize::from(reply.status == 401);
        if reply.status != 401 {
            refused(reply);
        }
    }
    assert_eq!(judged, 10);
}

/// One guess of a race, from an address of its own.
async fn one_of_many(app: Arc<TestApp>, start: Arc<Barrier>, n: usize, password: &str) -> u16 {
    let address = format!("198.51.{}.{}", n / 100, n % 100);
    start.wait().await;
    let request = app.request(Method::POST, LOGIN).from(&address);
    let request = request.header("user-agent", "curl/8.5.0");
    request.json(guess(BOB, password)).send().await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn t3_parallel_guesses_at_one_account_are_judged_up_to_its_limit() {
    let app = Arc::new(TestApp::start_with(&[("RATE_LIMIT_ACCOUNT", "10/1m")]).await);
    app.bob().await;
    app.advance(TimeDelta::minutes(1));
    let start = Arc::new(Barrier::new(100));
    let mut running = JoinSet::new();
    for n in 0..100 {
        running.spawn(one_of_many(Arc::clone(&app), Arc::clone(&start), n, WRONG));
    }
    let statuses = running.join_all().await;
    let judged = statuses.iter().filter(|status| **status == 401).count();
    let limited = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!((judged, limited), (10, 90));
    // The right password does not get past it either.
    let right = one_of_many(Arc::clone(&app), Arc::new(Barrier::new(1)), 1, PASSWORD);
    assert_eq!(right.await, 429);
    let failures = app.events().await;
    let failures = failures
        .iter()
        .filter(|event| *event == "user.login_failed");
    assert_eq!(failures.count(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_the_address_that_it_saw_counts() {
    let settings = [
        ("RATE_LIMIT_LOGIN", "1/1m"),
        ("TRUSTED_PROXIES", "192.0.2.0/24"),
    ];
    let app = TestApp::start_with(&settings).await;
    let by_way_of = |hops: &str| {
        let request = app
            .request(Method::POST, LOGIN)
            .header("x-forwarded-for", hops);
        request.json(guess(ADA, PASSWORD)).send()
    };
    let first = by_way_of("203.0.113.1").await.expect(200);
    // What a client writes in front of the proxy's own entry changes nothing.
    refused(by_way_of("203.0.113.77, 203.0.113.1").await);
    refused(by_way_of("203.0.113.1, 192.0.2.9").await);
    by_way_of("203.0.113.2").await.expect(200);
    by_way_of("2001:db8:1:2::1").await.expect(200);
    // One subscriber has a whole /64.
    refused(by_way_of("2001:db8:1:2:ffff::2").await);
    by_way_of("2001:db8:1:3::1").await.expect(200);
    let access = first.body["access_token"].as_str().unwrap();
    let list = app.get_as(access, "/api/v1/auth/sessions").await;
    let current = list.body["items"].as_array().unwrap().iter();
    let current = current.filter(|item| item["current"] == true);
    let addresses: Vec<_> = current.map(|item| item["ip"].as_str().unwrap()).collect();
    assert_eq!(addresses, ["203.0.113.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_a_limit_by_account_says_when_to_come_back_whoever_is_meant() {
    let app = TestApp::start_with(&[("RATE_LIMIT_ACCOUNT", "2/1m")]).await;
    for email in [ADA, "nobody@example.com"] {
        for _ in 0..2 {
            app.post(LOGIN, guess(email, WRONG)).await.expect(401);
        }
        let reply = app.post(LOGIN, guess(email, WRONG)).await;
        let reply = reply.expect_problem(429, "rate_limited");
        assert_eq!(reply.header("retry-after"), "30", "{email}");
    }
}
