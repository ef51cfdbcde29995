//! How long events are kept: past their time what is delivered goes, what waits does not.

use super::{arrived, committed, start, undelivered};
use crate::support::TestApp;
use chrono::TimeDelta;

#[tokio::test(flavor = "multi_thread")]
async fn i12_what_waits_for_the_broker_is_kept_whatever_its_age() {
    let (app, broker) = start().await;
    app.bob().await;
    app.app.deliver_events().await.unwrap();
    let delivered = arrived(&broker).len();
    broker.lock().unwrap().is_down = true;
    app.carol().await;
    app.app.place_events().await.unwrap();
    let waiting = undelivered(&app).await;
    assert_eq!(waiting, 2);
    app.advance(TimeDelta::days(29));
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(
        committed(&app).await,
        waiting + i64::try_from(delivered).unwrap()
    );
    app.advance(TimeDelta::days(2));
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(committed(&app).await, waiting);
    broker.lock().unwrap().is_down = false;
    app.app.deliver_events().await.unwrap();
    assert_eq!(arrived(&broker).len(), delivered + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_the_feed_forgets_by_age_and_its_positions_go_on() {
    let app = TestApp::start_with(&[("EVENTS_RETENTION_DAYS", "7")]).await;
    app.bob().await;
    app.app.place_events().await.unwrap();
    let last = "SELECT CAST(max(position) AS bigint) FROM outbox_events";
    let before = app.db.number(last).await;
    app.advance(TimeDelta::days(8));
    app.app.do_housekeeping().await.unwrap();
    assert_eq!(committed(&app).await, 1);
    app.carol().await;
    app.app.place_events().await.unwrap();
    assert_eq!(app.db.number(last).await, before + 2);
}
