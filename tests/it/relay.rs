//! Delivering events: each at least once, with the same id, a person's in their order, whatever fails in between.

mod held_back;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "kafka")]
mod nodes;
mod retention;

use crate::support::{TestApp, app::BEGIN, database::TestDatabase, people::BOB};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use usher::{Bus, Clock, MemoryBus, Resolver};

type Broker = Arc<Mutex<MemoryBus>>;

/// An app that delivers to a broker in memory.
async fn start() -> (TestApp, Broker) {
    let broker = Broker::default();
    let db = Arc::new(TestDatabase::create().await);
    let clock = Clock::hand_wound(BEGIN.parse().unwrap());
    let bus = Some(Bus::Memory(Arc::clone(&broker)));
    let app = TestApp::start_with_means((db, clock), 1, &[], (Resolver::System, bus)).await;
    (app, broker)
}

fn arrived(broker: &Broker) -> Vec<Value> {
    broker.lock().unwrap().delivered.clone()
}

async fn undelivered(app: &TestApp) -> i64 {
    let waiting = "SELECT count(*) FROM outbox_events WHERE published_at IS NULL";
    app.db.number(waiting).await
}

/// Every event that was ever committed is there, each person's in their order once what came twice is dropped; how many
/// came twice.
fn must_be_whole(events: &[Value], committed: i64) -> usize {
    let mut seen = BTreeSet::new();
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    for event in events {
        if !seen.insert(text(event, "id")) {
            continue;
        }
        let sequence: u64 = text(event, "sequence").parse().unwrap();
        let before = last.insert(text(event, "subject"), sequence).unwrap_or(0);
        assert_eq!(sequence, before + 1, "out of order: {event}");
    }
    assert_eq!(i64::try_from(seen.len()).unwrap(), committed);
    events.len() - seen.len()
}

async fn committed(app: &TestApp) -> i64 {
    app.db.number("SELECT count(*) FROM outbox_events").await
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_everything_in_the_feed_is_delivered_once() {
    let (app, broker) = start().await;
    app.bob().await;
    app.carol().await;
    app.app.deliver_events().await.unwrap();
    app.app.deliver_events().await.unwrap();
    assert_eq!(undelivered(&app).await, 0);
    let ada = app.ada().await;
    let feed = app.get_as(&ada.access, "/api/v1/events?limit=100").await;
    let feed = feed.expect(200).body["items"].as_array().unwrap().clone();
    let arrived = arrived(&broker);
    assert_eq!(
        must_be_whole(&arrived, i64::try_from(feed.len()).unwrap()),
        0
    );
    assert!(feed.iter().all(|event| arrived.contains(event)));
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_a_record_that_is_refused_holds_back_its_person_and_nobody_else() {
    let (app, broker) = start().await;
    broker
        .lock()
        .unwrap()
        .refused
        .insert("user.verified".to_owned());
    app.bob().await;
    app.carol().await;
    app.app.deliver_events().await.unwrap();
    let types = |events: &[Value]| -> Vec<String> {
        let bobs = events
            .iter()
            .filter(|event| event["type"] != "user.logged_in");
        bobs.map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    };
    // Bob's sign-in comes after his confirmation, which does not get through.
    assert!(
        !arrived(&broker)
            .iter()
            .any(|event| event["type"] == "user.logged_in")
    );
    assert!(types(&arrived(&broker)).len() > 4);
    broker.lock().unwrap().refused.clear();
    app.app.deliver_events().await.unwrap();
    assert_eq!(must_be_whole(&arrived(&broker), committed(&app).await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn f12_a_broker_that_is_away_delays_nobody_and_loses_nothing() {
    let (app, broker) = start().await;
    app.bob().await;
    broker.lock().unwrap().is_down = true;
    app.carol().await;
    app.app.deliver_events().await.unwrap();
    app.sign_in(BOB).await;
    app.app.do_housekeeping().await.unwrap();
    let ada = app.ada().await;
    app.get_as(&ada.access, "/readyz").await.expect(200);
    assert!(arrived(&broker).is_empty());
    let metrics = app.get("/metrics").await.text;
    let waiting = undelivered(&app).await;
    assert!(waiting > 5);
    let told = metrics
        .lines()
        .any(|line| line.starts_with("usher_outbox_events_undelivered "));
    assert!(told && metrics.contains("usher_outbox_lag_seconds "));
    broker.lock().unwrap().is_down = false;
    app.app.deliver_events().await.unwrap();
    assert_eq!(must_be_whole(&arrived(&broker), committed(&app).await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_what_was_sent_and_not_marked_comes_again_with_the_same_id() {
    let (app, broker) = start().await;
    app.bob().await;
    app.app.deliver_events().await.unwrap();
    // As if the node had died between the broker's answer and its own note of it.
    let forget = "UPDATE outbox_events SET published_at = NULL WHERE position > 2";
    let forgotten = app.db.execute(forget).await;
    assert!(forgotten > 0);
    app.sign_in(BOB).await;
    app.app.deliver_events().await.unwrap();
    let twice = must_be_whole(&arrived(&broker), committed(&app).await);
    assert_eq!(u64::try_from(twice).unwrap(), forgotten);
}
