//! Several nodes on one database act as one: what ends on one ends on all, by whatever way they hear of one another, and a
//! node that hears nothing asks the database.

mod bound;
mod redis;
mod shared_limits;

use crate::support::{
    TestApp,
    app::{BEGIN, PASSWORD},
    database::TestDatabase,
    door::Door,
    people::{BOB, Person},
};
use axum::http::Method;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use usher::Clock;

const ME: &str = "/api/v1/users/me";
const NEW_PASSWORD: &str = "AnotherPass456";
/// By PostgreSQL every commit is heard of.
const LONG: Duration = Duration::from_mins(1);
/// By Redis alone one may go unheard.
const BRIEF: Duration = Duration::from_secs(1);
/// Nothing is heard.
const NONE: Duration = Duration::ZERO;
const END_LISTENING: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                             WHERE datname = current_database() AND query LIKE 'LISTEN%'";

/// Waits until this node believes its memory for so long.
async fn trusts(node: &TestApp, time: Duration) {
    let waiting = async {
        while node.app.session_trust() != time {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    let trust = node.app.session_trust();
    waited.unwrap_or_else(|_| panic!("believes for {trust:?} and not for {time:?}"));
}

/// Two further nodes.
async fn with_others(app: &TestApp, settings: &[(&str, &str)]) -> [TestApp; 2] {
    [
        app.start_node(2, settings).await,
        app.start_node(3, settings).await,
    ]
}

async fn all_answer(nodes: &[&TestApp], who: &Person, status: u16) {
    for node in nodes {
        node.get_as(&who.access, ME).await.expect(status);
    }
}

/// Nodes that reach PostgreSQL through this door; none on SQLite.
async fn behind_a_door(count: u64, settings: &[(&str, &str)]) -> Option<(Door, Vec<TestApp>)> {
    let db = Arc::new(TestDatabase::create().await);
    if !db.is_postgres() {
        return None;
    }
    let mut url: url::Url = db.url().parse().unwrap();
    let door = Door::to(url.port().unwrap()).await;
    url.set_port(Some(door.port)).unwrap();
    let mut all = vec![("DATABASE_URL", url.as_str())];
    all.extend(settings);
    let clock = Clock::hand_wound(BEGIN.parse().unwrap());
    let mut nodes = Vec::new();
    for seed in 1..=count {
        let node = TestApp::start_on(Arc::clone(&db), clock.clone(), seed, &all).await;
        nodes.push(node);
    }
    Some((door, nodes))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_memory_is_checked_without_the_database() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    if app.db.is_postgres() {
        trusts(&app, LONG).await;
    }
    app.inbox().await;
    app.get_as(&bob.access, ME).await.expect(200);
    app.app.close().await;
    app.expect_errors();
    // On SQLite it is believed for a second only, and that may have passed.
    if app.db.is_postgres() {
        app.get_as(&bob.access, ME).await.expect(200);
    }
    app.app.forget_sessions();
    let refused = app.get_as(&bob.access, ME).await;
    refused.expect_problem(503, "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn j9_a_session_that_ends_on_one_node_ends_on_all() {
    let app = TestApp::start().await;
    if !app.db.is_postgres() {
        return;
    }
    let [second, third] = with_others(&app, &[]).await;
    let nodes = [&app, &second, &third];
    let (ada, bob) = (app.ada().await, app.bob().await);
    for node in nodes {
        trusts(node, LONG).await;
    }
    let of_bob = |rest: &str| format!("/api/v1/users/{}{rest}", bob.id);
    let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    let ways: [(&str, Method, String, Value); 4] = [
        (
            "own",
            Method::POST,
            "/api/v1/auth/logout".into(),
            Value::Null,
        ),
        (
            "own",
            Method::POST,
            "/api/v1/auth/logout-all".into(),
            Value::Null,
        ),
        (
            "staff",
            Method::POST,
            of_bob("/revoke-sessions"),
            Value::Null,
        ),
        (
            "other",
            Method::POST,
            "/api/v1/auth/change-password".into(),
            change,
        ),
    ];
    for (who, method, path, body) in ways {
        let bob = app.sign_in(BOB).await;
        let other = app.sign_in(BOB).await;
        all_answer(&nodes, &bob, 200).await;
        let asks = match who {
            "own" => &bob,
            "staff" => &ada,
            _ => &other,
        };
        let done = second.ask(method, &asks.access, &path, body).await;
        assert!(done.status < 300, "{path}: {}", done.text);
        all_answer(&nodes, &bob, 401).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_and_a_state_hold_on_every_node() {
    let app = TestApp::start().await;
    if !app.db.is_postgres() {
        return;
    }
    let [second, third] = with_others(&app, &[]).await;
    let (ada, bob) = (app.ada().await, app.bob().await);
    for node in [&app, &second, &third] {
        trusts(node, LONG).await;
        node.get_as(&bob.access, "/api/v1/users").await.expect(403);
    }
    let roles = json!({ "roles": ["user", "manager"] });
    let path = format!("/api/v1/users/{}/roles", bob.id);
    app.ask(Method::PUT, &ada.access, &path, roles)
        .await
        .expect(200);
    for node in [&app, &second, &third] {
        node.get_as(&bob.access, "/api/v1/users").await.expect(200);
    }
    let path = format!("/api/v1/users/{}/deactivate", bob.id);
    let done = third.ask(Method::POST, &ada.access, &path, json!({})).await;
    assert!(done.status < 300, "{}", done.text);
    all_answer(&[&app, &second, &third], &bob, 401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hears_nothing_asks_the_database_until_it_hears_again() {
    let Some((door, nodes)) = behind_a_door(2, &[]).await else {
        return;
    };
    let [app, node] = &nodes[..] else {
        unreachable!("two were asked for");
    };
    let bob = app.bob().await;
    trusts(node, LONG).await;
    all_answer(&[app, node], &bob, 200).await;
    door.deafen(true);
    trusts(node, NONE).await;
    all_answer(&[node], &bob, 200).await;
    log_out(app, &bob).await;
    all_answer(&[node, app], &bob, 401).await;
    door.deafen(false);
    trusts(node, LONG).await;
    let bob = node.sign_in(BOB).await;
    all_answer(&[node, app], &bob, 200).await;
    log_out(node, &bob).await;
    all_answer(&[app, node], &bob, 401).await;
}

async fn log_out(node: &TestApp, who: &Person) {
    let done = node.post_as(&who.access, "/api/v1/auth/logout", Value::Null);
    done.await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_listening_connection_breaks_forgets_before_it_believes_again() {
    let app = TestApp::start().await;
    if !app.db.is_postgres() {
        return;
    }
    let bob = app.bob().await;
    for _ in 0..3 {
        trusts(&app, LONG).await;
        all_answer(&[&app], &bob, 200).await;
        app.db.execute(END_LISTENING).await;
        trusts(&app, NONE).await;
        all_answer(&[&app], &bob, 200).await;
    }
}
