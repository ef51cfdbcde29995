//! Redis as the second way on which nodes hear of one another, in each of its forms, and its absence.

use super::{BRIEF, LONG, ME, NONE, all_answer, behind_a_door, log_out, trusts};
use crate::support::{TestApp, door::Door, people::BOB, redis::Redis};
use std::time::Duration;

/// Patient, because the machine may be busy.
fn patient(url: &str) -> [(&str, &str); 2] {
    [("REDIS_URL", url), ("REDIS_TIMEOUT_MS", "2000")]
}

pub(super) async fn reaches_redis(node: &TestApp, is_up: bool) {
    let waiting = async {
        while node.app.has_redis() != is_up {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    assert!(waited.is_ok(), "Redis did not come to be up: {is_up}");
}

/// Nodes that hear nothing but Redis still end together what one of them ends.
async fn ends_together(url: &str) {
    let Some((door, nodes)) = behind_a_door(3, &patient(url)).await else {
        let app = TestApp::start_with(&patient(url)).await;
        reaches_redis(&app, true).await;
        return;
    };
    nodes[0].bob().await;
    door.deafen(true);
    for node in &nodes {
        trusts(node, BRIEF).await;
        reaches_redis(node, true).await;
    }
    let all: Vec<_> = nodes.iter().collect();
    for node in &nodes {
        let bob = node.sign_in(BOB).await;
        all_answer(&all, &bob, 200).await;
        log_out(node, &bob).await;
        all_answer(&all, &bob, 401).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_hear_only_redis_end_sessions_together() {
    let redis = Redis::start().await;
    ends_together(&redis.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_carries_what_nodes_tell() {
    let redis = Redis::cluster().await;
    ends_together(&format!("redis+cluster://127.0.0.1:{}", redis.port)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_that_sentinels_name_carries_what_nodes_tell() {
    let redis = Redis::start().await;
    let sentinel = Redis::sentinel_of(&redis).await;
    let url = format!("redis+sentinel://127.0.0.1:{}/main", sentinel.port);
    ends_together(&url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f10_without_redis_nodes_start_and_end_sessions_all_the_same() {
    let mut redis = Redis::start().await;
    redis.stop();
    let url = redis.url();
    let app = TestApp::start_with(&patient(&url)).await;
    let bob = app.bob().await;
    reaches_redis(&app, false).await;
    app.get_as(&bob.access, ME).await.expect(200);
    redis.start_again().await;
    reaches_redis(&app, true).await;
    log_out(&app, &bob).await;
    app.get_as(&bob.access, ME).await.expect(401);
    let bob = app.sign_in(BOB).await;
    redis.stop();
    app.get_as(&bob.access, ME).await.expect(200);
    log_out(&app, &bob).await;
    app.get_as(&bob.access, ME).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hears_neither_asks_the_database() {
    let redis = Redis::start().await;
    let hatch = Door::to(redis.port).await;
    let url = format!("redis://127.0.0.1:{}", hatch.port);
    let settings = [("REDIS_URL", url.as_str()), ("REDIS_TIMEOUT_MS", "200")];
    let Some((door, nodes)) = behind_a_door(1, &settings).await else {
        return;
    };
    let app = &nodes[0];
    let bob = app.bob().await;
    trusts(app, LONG).await;
    door.deafen(true);
    trusts(app, BRIEF).await;
    hatch.shut();
    trusts(app, NONE).await;
    app.get_as(&bob.access, ME).await.expect(200);
    log_out(app, &bob).await;
    app.get_as(&bob.access, ME).await.expect(401);
    hatch.open();
    trusts(app, BRIEF).await;
}
