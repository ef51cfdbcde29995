//! One whose events the broker refuses for good: they wait, in their order, and fill nobody else's place.

use super::{Broker, arrived, committed, must_be_whole, start, undelivered};
use crate::support::{database::TestDatabase, people::BOB};
use serde_json::Value;

/// More than a batch.
pub const PILE: i64 = 600;

/// Copies the last event that was placed so often, as the same person's next ones; the first copy with this request id.
pub async fn pile_up(db: &TestDatabase, kind: &str, first: &str) {
    let (id, series) = if db.is_postgres() {
        (
            "gen_random_uuid()",
            "WITH series (n) AS (SELECT generate_series(1, $COUNT))",
        )
    } else {
        (
            "randomblob(16)",
            "WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < $COUNT)",
        )
    };
    let series = series.replace("$COUNT", &PILE.to_string());
    let copies = format!(
        "{series} INSERT INTO outbox_events (id, user_id, sequence, type, occurred_at, request_id, data_sealed)
         SELECT {id}, e.user_id, e.sequence + n, '{kind}', e.occurred_at, CASE WHEN n = 1 THEN {first} ELSE 'r' END, e.data_sealed
         FROM series, (SELECT * FROM outbox_events ORDER BY position DESC LIMIT 1) e"
    );
    assert_eq!(db.execute(&copies).await, PILE.unsigned_abs());
}

fn refuse(broker: &Broker, kind: &str) {
    let mut broker = broker.lock().unwrap();
    broker.refused.insert(kind.to_owned());
}

fn subjects(events: &[Value]) -> usize {
    let subjects = events.iter().map(|event| event["subject"].to_string());
    subjects.collect::<std::collections::BTreeSet<_>>().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_more_refused_events_of_one_person_than_a_batch_holds_hold_back_nobody_else() {
    let (app, broker) = start().await;
    app.sign_up(BOB).await;
    app.app.deliver_events().await.unwrap();
    let before = arrived(&broker).len();
    pile_up(&app.db, "user.verified", "'r'").await;
    app.app.place_events().await.unwrap();
    refuse(&broker, "user.verified");
    for number in 0..5 {
        app.sign_up(&format!("p{number}@example.com")).await;
    }
    app.app.deliver_events().await.unwrap();
    assert_eq!(undelivered(&app).await, PILE);
    let others = arrived(&broker).split_off(before);
    assert_eq!((others.len(), subjects(&others)), (10, 5));
    broker.lock().unwrap().refused.clear();
    app.app.deliver_events().await.unwrap();
    assert_eq!(undelivered(&app).await, 0);
    assert_eq!(must_be_whole(&arrived(&broker), committed(&app).await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_while_one_person_is_held_back_a_broker_that_goes_away_delivers_nothing_and_loses_nothing()
 {
    let (app, broker) = start().await;
    app.sign_up(BOB).await;
    app.app.deliver_events().await.unwrap();
    pile_up(&app.db, "user.verified", "'r'").await;
    refuse(&broker, "user.verified");
    app.app.deliver_events().await.unwrap();
    broker.lock().unwrap().is_down = true;
    app.carol().await;
    app.app.deliver_events().await.unwrap();
    assert_eq!(undelivered(&app).await, PILE + 2);
    broker.lock().unwrap().is_down = false;
    app.app.deliver_events().await.unwrap();
    // Carol's confirmation, if there were one, would be refused, too.
    assert_eq!(undelivered(&app).await, PILE);
}
