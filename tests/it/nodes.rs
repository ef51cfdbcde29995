//! Several nodes on one database: started at the same moment, and at the same work at the same moment.

use crate::support::{
    TestApp,
    app::{ADA, PASSWORD},
    database::TestDatabase,
    people::BOB,
    process::Service,
};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::Barrier;

const NODES: usize = 5;

/// Starts them all on a database without a schema; `bench/faults` measures how long that takes.
async fn start_on_an_empty_database() {
    let db = TestDatabase::create_empty().await;
    let nodes = join_all((0..NODES).map(|_| Service::try_start(&db, &[]))).await;
    let nodes: Vec<Service> = nodes.into_iter().map(Result::unwrap).collect();
    // Whoever is ready knows the key that one of them made.
    let admin = join_all(nodes.iter().map(|node| node.sign_in(ADA))).await;
    for (node, tokens) in nodes.iter().zip(admin.iter().rev()) {
        assert_eq!(node.get_as("", "/readyz").await, 200);
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(node.get_as(token, "/api/v1/users/me").await, 200);
    }
    let made_once = "SELECT count(*) - count(DISTINCT version) FROM seaql_migrations";
    assert_eq!(db.number(made_once).await, 0);
    for (what, count) in [
        ("first admins", "SELECT count(*) FROM users"),
        (
            "roles of them",
            "SELECT count(*) FROM user_roles WHERE role = 'admin'",
        ),
        ("signing keys", "SELECT count(*) FROM signing_keys"),
        ("service keys", "SELECT count(*) FROM vault_keys"),
    ] {
        assert_eq!(db.number(count).await, 1, "{what}");
    }
    nodes[0].sign_up(BOB).await;
    let form = json!({ "email": BOB, "password": PASSWORD });
    for node in &nodes[1..] {
        let (status, body) = node
            .post("/api/v1/auth/register", form.clone())
            .await
            .unwrap();
        assert_eq!(status, 409, "{body}");
    }
    join_all(nodes.into_iter().map(Service::stop)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_five_nodes_that_start_at_once_on_an_empty_database_make_everything_once() {
    for _ in 0..3 {
        start_on_an_empty_database().await;
    }
}

/// Four nodes on one database and clock.
async fn four_nodes() -> Vec<Arc<TestApp>> {
    let first = Arc::new(TestApp::start().await);
    let mut nodes = vec![Arc::clone(&first)];
    for seed in 2..5 {
        nodes.push(Arc::new(first.start_node(seed, &[]).await));
    }
    nodes
}

/// Lets all of them do what their jobs do on their beats, at the same moment.
async fn do_housekeeping(nodes: &[Arc<TestApp>]) {
    let start = Arc::new(Barrier::new(nodes.len()));
    let work = nodes.iter().map(|node| {
        let (node, start) = (Arc::clone(node), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            node.app.do_housekeeping().await.unwrap();
        })
    });
    for done in join_all(work).await {
        done.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aged_signing_key_gets_one_successor_from_nodes_that_look_at_once() {
    let nodes = four_nodes().await;
    let made = "SELECT count(*) FROM audit_log WHERE action = 'rotate_signing_keys'";
    for round in 1..=5 {
        assert_eq!(nodes[0].db.number(made).await, round);
        nodes[0].advance(TimeDelta::days(91));
        do_housekeeping(&nodes).await;
    }
    assert_eq!(nodes[0].db.number(made).await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn f43_nodes_that_sweep_at_once_leave_what_lives_and_nothing_else() {
    let nodes = four_nodes().await;
    nodes[0].bob().await;
    for _ in 0..40 {
        nodes[0].sign_in(BOB).await;
    }
    nodes[0].advance(TimeDelta::days(70));
    let lives = nodes[0].sign_in(BOB).await;
    do_housekeeping(&nodes).await;
    do_housekeeping(&nodes).await;
    let left = nodes[0]
        .db
        .number("SELECT count(*) FROM user_sessions")
        .await;
    assert_eq!(left, 1);
    for node in &nodes {
        node.get_as(&lives.access, "/api/v1/users/me")
            .await
            .expect(200);
    }
}
