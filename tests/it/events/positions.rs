//! The order of all events: nobody who reads by position misses one or gets a person's later event first.

use super::{each, items, monitor, read};
use crate::support::{TestApp, people::BOB};
use chrono::TimeDelta;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_events_keep_their_order_when_the_clock_goes_back() {
    let app = TestApp::start().await;
    app.advance(TimeDelta::hours(6));
    let bob = app.bob().await;
    app.advance(TimeDelta::hours(-2));
    app.sign_in(BOB).await;
    app.advance(TimeDelta::hours(-2));
    app.sign_in(BOB).await;
    let ada = app.ada().await;
    let reply = read(&app, &ada, &format!("?subject={}", bob.id)).await;
    let sequences = each(&reply, "sequence");
    assert_eq!(sequences.len(), items(&reply).len());
    assert!(sequences.is_sorted());
    let times = each(&reply, "time");
    assert!(!times.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_committed_late_comes_after_what_was_read() {
    let app = TestApp::start().await;
    let ada = app.ada().await;
    app.bob().await;
    let before = read(&app, &ada, "?limit=100").await;
    // As if its transaction had begun long ago and was committed only now.
    app.carol().await;
    let back =
        "UPDATE outbox_events SET occurred_at = '2020-01-01T00:00:00+00:00' WHERE position IS NULL";
    assert_eq!(app.db.execute(back).await, 2);
    let after = read(&app, &ada, &monitor(&before)).await;
    assert_eq!(
        each(&after, "type"),
        ["user.created", "user.verification_token.created"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_nodes_that_place_at_once_give_each_event_one_position_without_holes() {
    let app = Arc::new(TestApp::start().await);
    let other = Arc::new(app.start_node(2, &[]).await);
    let mut running = JoinSet::new();
    for number in 0..12 {
        let node = Arc::clone(if number % 2 == 0 { &app } else { &other });
        running.spawn(async move {
            node.sign_up(&format!("p{number}@example.com")).await;
            node.app.place_events().await.unwrap();
        });
    }
    running.join_all().await;
    app.app.place_events().await.unwrap();
    let db = &app.db;
    let count = db.number("SELECT count(*) FROM outbox_events").await;
    let last = "SELECT CAST(max(position) AS bigint) FROM outbox_events";
    assert_eq!(db.number(last).await, count);
    let places = "SELECT CAST(position AS text) FROM outbox_events WHERE position IS NOT NULL";
    let places: BTreeSet<String> = db.texts(places).await.into_iter().collect();
    assert_eq!(i64::try_from(places.len()).unwrap(), count);
    let ada = app.ada().await;
    let feed = read(&app, &ada, "?limit=100").await;
    let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (person, sequence) in each(&feed, "subject")
        .into_iter()
        .zip(each(&feed, "sequence"))
    {
        order.entry(person).or_default().push(sequence);
    }
    assert!(order.values().all(|sequences| sequences.is_sorted()));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_events_than_one_round_takes_are_placed_in_their_order() {
    let app = TestApp::start().await;
    let bob = app.bob().await;
    let ada = app.ada().await;
    app.app.place_events().await.unwrap();
    let copies = if app.db.is_postgres() {
        "INSERT INTO outbox_events (id, user_id, sequence, type, occurred_at, request_id, data_sealed)
         SELECT gen_random_uuid(), e.user_id, e.sequence + n, e.type, e.occurred_at - n * interval '1 second', 'r', e.data_sealed
         FROM generate_series(1, 2500) n, (SELECT * FROM outbox_events ORDER BY position DESC LIMIT 1) e"
    } else {
        "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 2500)
         INSERT INTO outbox_events (id, user_id, sequence, type, occurred_at, request_id, data_sealed)
         SELECT randomblob(16), e.user_id, e.sequence + n, e.type, strftime('%Y-%m-%dT%H:%M:%S+00:00', e.occurred_at, '-' || n || ' seconds'),
         'r', e.data_sealed FROM series, (SELECT * FROM outbox_events ORDER BY position DESC LIMIT 1) e"
    };
    assert_eq!(app.db.execute(copies).await, 2500);
    app.app.place_events().await.unwrap();
    let against =
        "SELECT count(*) FROM outbox_events a JOIN outbox_events b ON a.user_id = b.user_id
        AND a.sequence + 1 = b.sequence AND a.position > b.position";
    assert_eq!(app.db.number(against).await, 0);
    let unplaced = "SELECT count(*) FROM outbox_events WHERE position IS NULL";
    assert_eq!(app.db.number(unplaced).await, 0);
    drop((bob, ada));
}
