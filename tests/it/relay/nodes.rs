//! The relay of the real program: it leads alone, survives broker and process, and drains what has piled up.

use super::{
    held_back::{PILE, pile_up},
    kafka::{Cluster, TOPIC, values},
    must_be_whole,
};
use crate::support::{database::TestDatabase, process::Service};
use std::time::Duration;

/// Waits until nothing waits for delivery.
async fn drained(db: &TestDatabase) {
    drained_to(db, 0).await;
}

/// Waits until so many wait for delivery.
async fn drained_to(db: &TestDatabase, left: i64) {
    let waiting = "SELECT count(*) FROM outbox_events WHERE published_at IS NULL";
    for _ in 0..600 {
        if db.number(waiting).await == left {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the outbox does not drain");
}

async fn sign_up(service: &Service, from: usize, to: usize) {
    for number in from..to {
        service.sign_up(&format!("p{number}@example.com")).await;
    }
}

async fn committed(db: &TestDatabase) -> i64 {
    db.number("SELECT count(*) FROM outbox_events").await
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_events_wait_for_a_broker_that_is_away_and_then_leave_in_order() {
    let db = TestDatabase::create().await;
    let cluster = Cluster::start(&[TOPIC]);
    let service = Service::start(&db, &cluster.settings()).await;
    sign_up(&service, 0, 5).await;
    drained(&db).await;
    cluster.mock.broker_down(1).unwrap();
    sign_up(&service, 5, 25).await;
    assert_eq!(service.get_as("", "/readyz").await, 200);
    let waiting = "SELECT count(*) FROM outbox_events WHERE published_at IS NULL";
    assert!(db.number(waiting).await >= 40);
    cluster.mock.broker_up(1).unwrap();
    drained(&db).await;
    service.stop().await;
    let count = committed(&db).await;
    let records = cluster.read(TOPIC, usize::try_from(count).unwrap());
    must_be_whole(&values(&records), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_a_node_that_is_killed_while_it_delivers_loses_nothing() {
    let db = TestDatabase::create().await;
    let cluster = Cluster::start(&[TOPIC]);
    let slow = Duration::from_millis(20);
    let mut people = 0;
    for round in 0..4 {
        let service = Service::start(&db, &cluster.settings()).await;
        cluster.mock.broker_round_trip_time(1, slow).unwrap();
        sign_up(&service, people, people + 15).await;
        people += 15;
        tokio::time::sleep(Duration::from_millis(30 * round)).await;
        service.kill().await;
    }
    let last = Service::start(&db, &cluster.settings()).await;
    drained(&db).await;
    last.stop().await;
    let count = committed(&db).await;
    let records = cluster.read(TOPIC, usize::try_from(count).unwrap());
    let twice = must_be_whole(&values(&records), count);
    assert!(twice <= 4 * 500, "{twice} came twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_delivers_and_the_other_takes_over_when_it_dies() {
    let db = TestDatabase::create().await;
    if !db.is_postgres() {
        // On SQLite there is one node.
        return;
    }
    let cluster = Cluster::start(&[TOPIC]);
    let one = Service::start(&db, &cluster.settings()).await;
    let two = Service::start(&db, &cluster.settings()).await;
    for number in 0..20 {
        let node = if number % 2 == 0 { &one } else { &two };
        node.sign_up(&format!("p{number}@example.com")).await;
    }
    drained(&db).await;
    let count = committed(&db).await;
    let records = cluster.read(TOPIC, usize::try_from(count).unwrap());
    assert_eq!(must_be_whole(&values(&records), count), 0);
    one.kill().await;
    sign_up(&two, 20, 25).await;
    drained(&db).await;
    two.stop().await;
    let count = committed(&db).await;
    let records = cluster.read(TOPIC, usize::try_from(count).unwrap());
    must_be_whole(&values(&records), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_delivers_what_was_committed_before_it() {
    let db = TestDatabase::create().await;
    let cluster = Cluster::start(&[TOPIC]);
    let service = Service::start(&db, &cluster.settings()).await;
    sign_up(&service, 0, 10).await;
    service.stop().await;
    let waiting = "SELECT count(*) FROM outbox_events WHERE published_at IS NULL";
    assert_eq!(db.number(waiting).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_delivers_also_what_somebody_else_is_giving_positions_to() {
    let db = TestDatabase::create().await;
    if !db.is_postgres() {
        // On SQLite nobody else does.
        return;
    }
    let cluster = Cluster::start(&[TOPIC]);
    let service = Service::start(&db, &cluster.settings()).await;
    let placing = format!(
        "SELECT pg_advisory_xact_lock({}), pg_sleep(2)",
        i64::from_be_bytes(*b"\0\0\0place")
    );
    let stopped = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        sign_up(&service, 0, 2).await;
        service.stop().await;
    };
    tokio::join!(db.execute(&placing), stopped);
    let waiting = "SELECT count(*) FROM outbox_events WHERE published_at IS NULL";
    assert_eq!(db.number(waiting).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_a_record_that_is_too_large_holds_back_its_person_alone_and_all_of_them_leave_when_it_is_not()
 {
    let db = TestDatabase::create().await;
    let cluster = Cluster::start(&[TOPIC]);
    let service = Service::start(&db, &cluster.settings()).await;
    sign_up(&service, 0, 1).await;
    drained(&db).await;
    // Longer than any record that the client hands over.
    let long = if db.is_postgres() {
        "repeat('x', 2000000)"
    } else {
        "hex(zeroblob(1000000))"
    };
    pile_up(&db, "user.updated", long).await;
    sign_up(&service, 1, 6).await;
    drained_to(&db, PILE).await;
    let metrics = service.client.get(service.url("/metrics")).send().await;
    let metrics = metrics.unwrap().text().await.unwrap();
    assert!(
        metrics.contains("usher_events_held_back_people 1"),
        "{metrics}"
    );
    let cured = "UPDATE outbox_events SET request_id = 'r' WHERE length(request_id) > 1000000";
    assert_eq!(db.execute(cured).await, 1);
    drained(&db).await;
    service.stop().await;
    let count = committed(&db).await;
    let records = cluster.read(TOPIC, usize::try_from(count).unwrap());
    must_be_whole(&values(&records), count);
}
