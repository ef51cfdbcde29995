//! Delivering events to the broker: one node at a time, in the order of positions, marked after the broker's answer. A
//! fault in between brings the same events again, with the same ids; never a later one of a person before an earlier.

use super::Services;
use crate::{
    domain::Result,
    storage::{Leadership, Store, outbox},
};
use std::time::Duration;

/// How many events one round hands over; the most that come twice after a fault.
const BATCH: u64 = 500;
/// The longest pause after trouble.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What came of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relayed {
    pub delivered: usize,
    /// Whether something did not arrive.
    pub is_stuck: bool,
}

impl Services {
    /// Whether events are delivered anywhere.
    pub fn delivers_events(&self) -> bool {
        self.bus.is_on()
    }

    /// Takes the lead in delivering events and makes ready, unless another node has it.
    pub async fn lead_relay(&self) -> Result<Option<Leadership>> {
        let lead = outbox::try_lead_relay(&self.store).await?;
        if lead.is_some() {
            self.bus.prepare().await;
        }
        Ok(lead)
    }

    /// Delivers a batch of what waits. Only who leads may.
    pub async fn relay_events(&self) -> Result<Relayed> {
        let db = self.store.reader();
        let waiting = outbox::list_unpublished(db, BATCH).await?;
        let events = self
            .open_events(db, waiting.iter().map(|placed| &placed.event))
            .await?;
        let done = self.bus.deliver(&events).await;
        let failed = events.len() - done.ids.len();
        if !done.ids.is_empty() {
            let tx = self.store.begin().await?;
            outbox::mark_published(&tx, &done.ids, self.now()).await?;
            Store::commit(tx).await?;
        }
        count("delivered", done.ids.len());
        if let Some(fault) = &done.fault {
            count("delayed", failed);
            tracing::warn!(%fault, waiting = failed, "events could not be delivered; they will be tried again");
        }
        Ok(Relayed {
            delivered: done.ids.len(),
            is_stuck: done.fault.is_some(),
        })
    }

    /// How long to rest after so many rounds in which nothing arrived: longer each time, and spread so that nodes do not
    /// come back together.
    pub fn pause_of_relay(&self, failures: u32) -> Duration {
        let doubled = Duration::from_millis(200).saturating_mul(1 << failures.min(10));
        let [spread] = self.entropy.bytes::<1>();
        doubled
            .min(LONGEST_PAUSE)
            .mul_f64(1.0 - f64::from(spread) / 255.0 * 0.5)
    }

    /// Waits until events were placed here, or for `at_most`.
    pub async fn wait_for_placed(&self, at_most: Duration) {
        let placed = self.event_placed.notified();
        let _ = tokio::time::timeout(at_most, placed).await;
    }

    /// How many events wait for delivery, and for how many seconds the oldest has.
    pub async fn events_behind(&self) -> Result<(u64, f64)> {
        if !self.bus.is_on() {
            return Ok((0, 0.0));
        }
        let db = self.store.reader();
        let count = outbox::count_unpublished(db).await?;
        let oldest = outbox::find_oldest_unpublished(db).await?;
        let age = oldest.and_then(|at| (self.now() - at).to_std().ok());
        Ok((count, age.map_or(0.0, |age| age.as_secs_f64())))
    }

    /// Deletes a batch of the events that are past their time and that nobody waits for; whether there may be more.
    pub async fn sweep_events(&self) -> Result<bool> {
        let before = crate::services::before(self.now(), self.policy.event_retention);
        let must_be_published = self.bus.is_on();
        let gone = outbox::delete_settled(&self.store, before, SWEEP, must_be_published).await?;
        metrics::counter!("usher_swept_rows_total").increment(gone);
        Ok(gone >= SWEEP.unsigned_abs())
    }
}

/// How many events one transaction deletes.
const SWEEP: i64 = 1_000;

fn count(outcome: &'static str, events: usize) {
    metrics::counter!("usher_events_total", "outcome" => outcome).increment(events as u64);
}
