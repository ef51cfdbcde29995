//! Limits that nodes share through Redis, and what is left of them while it is away.

use super::{ME, redis::reaches_redis};
use crate::support::{
    TestApp,
    app::{ADA, PASSWORD},
    at_once::{count, post_at_once},
    door::Door,
    people::BOB,
    redis::Redis,
};
use axum::http::Method;
use serde_json::json;
use std::{sync::Arc, time::Duration};

const LOGIN: &str = "/api/v1/auth/login";
/// None of them comes back while a test runs.
const FIVE: (&str, &str) = ("RATE_LIMIT_LOGIN", "5/1d");

async fn two_nodes(settings: &[(&str, &str)]) -> [TestApp; 2] {
    let app = TestApp::start_with(settings).await;
    let node = app.start_node(2, settings).await;
    [app, node]
}

/// How many of so many attempts, spread over the nodes, are let through.
async fn let_through(nodes: &[TestApp], attempts: usize) -> usize {
    let guess = json!({ "email": "nobody@example.com", "password": PASSWORD });
    let mut through = 0;
    for node in nodes.iter().cycle().take(attempts) {
        match node.post(LOGIN, guess.clone()).await.status {
            401 => through += 1,
            status => assert_eq!(status, 429),
        }
    }
    through
}

fn with_redis(url: &str) -> [(&str, &str); 3] {
    [("REDIS_URL", url), ("REDIS_TIMEOUT_MS", "2000"), FIVE]
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_node_counts_for_itself() {
    let nodes = two_nodes(&[FIVE]).await;
    assert_eq!(let_through(&nodes, 20).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_redis_all_nodes_count_together_and_say_so() {
    let redis = Redis::start().await;
    let nodes = two_nodes(&with_redis(&redis.url())).await;
    for node in &nodes {
        reaches_redis(node, true).await;
    }
    let guess = json!({ "email": "nobody@example.com", "password": PASSWORD });
    for (place, left) in (0..5).rev().enumerate() {
        let reply = nodes[place % 2]
            .post(LOGIN, guess.clone())
            .await
            .expect(401);
        let told = reply.header("ratelimit");
        assert!(told.starts_with(&format!("\"login\";r={left};")), "{told}");
    }
    let refused = nodes[1].post(LOGIN, guess.clone()).await;
    let refused = refused.expect_problem(429, "rate_limited");
    let pause: u64 = refused.header("retry-after").parse().unwrap();
    assert!((17_000..=17_280).contains(&pause), "{pause}");
    assert_eq!(let_through(&nodes, 10).await, 0);
    redis.ask(&["FLUSHALL"]).await;
    let again = let_through(&nodes, 20).await;
    assert!(again <= 5, "each node still knows its own: {again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn t3_parallel_guesses_over_two_nodes_are_judged_up_to_one_limit() {
    let redis = Redis::start().await;
    let url = redis.url();
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("REDIS_TIMEOUT_MS", "2000"),
        ("RATE_LIMIT_ACCOUNT", "10/1d"),
    ];
    let nodes = two_nodes(&settings).await.map(Arc::new);
    for node in &nodes {
        reaches_redis(node, true).await;
    }
    let guess = json!({ "email": ADA, "password": "WrongPass123" });
    let mut posts = vec![(None, LOGIN, guess); 100];
    posts.push((None, LOGIN, json!({ "email": ADA, "password": PASSWORD })));
    let replies = post_at_once(&nodes, posts).await;
    assert_eq!(count(&replies, 401) + count(&replies, 200), 10);
    assert_eq!(count(&replies, 429), 91);
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_while_redis_is_away_nodes_count_alone_and_together_again_when_it_is_back() {
    let mut redis = Redis::start().await;
    let url = redis.url();
    let nodes = two_nodes(&with_redis(&url)).await;
    for node in &nodes {
        reaches_redis(node, true).await;
    }
    assert_eq!(let_through(&nodes, 4).await, 4);
    redis.stop();
    for node in &nodes {
        reaches_redis(node, false).await;
    }
    assert_eq!(let_through(&nodes, 20).await, 6, "what each had left");
    redis.start_again().await;
    for node in &nodes {
        reaches_redis(node, true).await;
    }
    assert_eq!(
        let_through(&nodes, 10).await,
        0,
        "an empty Redis frees nobody"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_slow_or_mute_holds_nobody_up() {
    let redis = Redis::start().await;
    let door = Door::to(redis.port).await;
    let url = format!("redis://127.0.0.1:{}", door.port);
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("REDIS_TIMEOUT_MS", "200"),
        FIVE,
    ];
    let app = TestApp::start_with(&settings).await;
    reaches_redis(&app, true).await;
    let bob = app.bob().await;
    door.slow(Duration::from_secs(10));
    app.get_as(&bob.access, ME).await.expect(200);
    app.post(LOGIN, json!({ "email": BOB, "password": "WrongPass123" }))
        .await
        .expect(401);
    reaches_redis(&app, false).await;
    door.shut();
    app.get_as(&bob.access, ME).await.expect(200);
    door.open();
    reaches_redis(&app, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_waits_for_a_slow_redis_holds_nobody_up() {
    let redis = Redis::start().await;
    let door = Door::to(redis.port).await;
    let url = format!("redis://127.0.0.1:{}", door.port);
    let settings = [
        ("REDIS_URL", url.as_str()),
        ("REDIS_TIMEOUT_MS", "5000"),
        ("RATE_LIMIT_MAIL_TOTAL", "5/1d"),
    ];
    let app = Arc::new(TestApp::start_with(&settings).await);
    reaches_redis(&app, true).await;
    app.bob().await;
    let path = "/api/v1/auth/password-reset-request";
    app.post(path, json!({ "email": BOB })).await.expect(202);
    door.slow(Duration::from_mins(1));
    let courier = Arc::clone(&app);
    let courier = tokio::spawn(async move { courier.catch_up().await });
    let taken = "SELECT count(*) FROM mail_requests WHERE taken_at IS NOT NULL";
    while app.db.number(taken).await == 0 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    // No other can write while a transaction waits: on SQLite anything, on PostgreSQL what it has locked.
    app.db.execute("UPDATE users SET status = status").await;
    let mailed = "SELECT count(*) FROM outbox_mails WHERE template = 'password_reset'";
    assert_eq!(app.db.number(mailed).await, 0, "the write waited for it");
    door.open();
    courier.await.unwrap();
    assert_eq!(app.db.number(mailed).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_redis_holds_neither_people_nor_addresses_and_nothing_for_ever() {
    let redis = Redis::start().await;
    let url = redis.url();
    let limits = ["LOGIN", "REGISTER", "MAIL", "API", "RECIPIENT", "ACCOUNT"];
    let limits = limits.map(|class| format!("RATE_LIMIT_{class}"));
    let mut settings: Vec<_> = limits.iter().map(|name| (name.as_str(), "50/1h")).collect();
    settings.extend([("REDIS_URL", url.as_str()), ("REDIS_TIMEOUT_MS", "2000")]);
    let app = TestApp::start_with(&settings).await;
    reaches_redis(&app, true).await;
    let bob = app.bob().await;
    app.get_as(&bob.access, ME).await.expect(200);
    app.post(LOGIN, json!({ "email": ADA, "password": "WrongPass123" }))
        .await
        .expect(401);
    only_counts(&redis).await;
    let ada = app.ada().await;
    let at = format!("/api/v1/users/{}", bob.id);
    app.ask(Method::DELETE, &ada.access, &at, json!({}))
        .await
        .expect(204);
    app.get_as(&bob.access, ME).await.expect(401);
    only_counts(&redis).await;
}

/// Everything in there is a count: under a name that tells only its class, a number, and gone within the hour.
async fn only_counts(redis: &Redis) {
    let keys = redis.ask(&["KEYS", "*"]).await;
    assert!(keys.lines().count() >= 4, "{keys}");
    for key in keys.lines() {
        let parts: Vec<_> = key.split(':').collect();
        let ["usher", service, "limit", class, hash] = parts[..] else {
            panic!("{key}");
        };
        let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_hex(service) && is_hex(hash), "{key}");
        assert!(class.bytes().all(|byte| byte.is_ascii_lowercase()), "{key}");
        let value = redis.ask(&["GET", key]).await;
        assert!(
            value.trim().bytes().all(|byte| byte.is_ascii_digit()),
            "{value}"
        );
        let left: i64 = redis.ask(&["TTL", key]).await.trim().parse().unwrap();
        assert!((1..=3_600).contains(&left), "{key}: {left}");
    }
}
