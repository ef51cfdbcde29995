//! What a node asks of PostgreSQL: how many connections.

use crate::support::{
    app::ADA,
    database::TestDatabase,
    process::Service,
};
use futures_util::future::join_all;
use serde_json::Value;
use std::time::Duration;

/// By this name the server tells the connections of the node from those of the test.
const NAME: (&str, &str) = ("PGAPPNAME", "counted");
/// To hear the other nodes, and to tell them.
const BESIDE_THE_POOL: i64 = 2;

async fn connections(db: &TestDatabase) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'counted'";
    db.number(count).await
}

async fn pool_max(service: &Service) -> Value {
    let status = service.client.get(service.url("/db/status")).send().await;
    status.unwrap().json::<Value>().await.unwrap()["pool"]["max"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_keeps_as_many_connections_as_are_set_and_opens_no_more_than_it_says() {
    let db = TestDatabase::create().await;
    if !db.is_postgres() {
        return;
    }
    let settings = [("DB_POOL_SIZE", "4"), ("DB_MAX_OVERFLOW", "2"), NAME];
    let service = Service::start(&db, &settings).await;
    let filled = async {
        while connections(&db).await != 4 + BESIDE_THE_POOL {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let filled = tokio::time::timeout(Duration::from_secs(30), filled).await;
    assert!(filled.is_ok(), "{} are open", connections(&db).await);
    assert_eq!(pool_max(&service).await, 6);
    let ada = service.sign_in(ADA).await;
    let token = ada["access_token"].as_str().unwrap();
    let asked = join_all((0..100).map(|_| service.get_as(token, "/api/v1/users")));
    let counted = async {
        let mut most = 0;
        for _ in 0..20 {
            most = most.max(connections(&db).await);
        }
        most
    };
    let (statuses, most) = tokio::join!(asked, counted);
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert!(most <= 6 + BESIDE_THE_POOL, "{most} were open");
    assert!(connections(&db).await >= 4 + BESIDE_THE_POOL);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_pool_is_told_as_it_is() {
    let db = TestDatabase::create().await;
    if !db.is_postgres() {
        return;
    }
    let settings = [("DB_POOL_SIZE", "1"), ("DB_MAX_OVERFLOW", "0")];
    let service = Service::start(&db, &settings).await;
    assert_eq!(pool_max(&service).await, 2);
    service.stop().await;
}
