//! Delivering events to the broker: one node at a time, in the order of positions, marked after the broker's answer. A
//! fault in between brings the same events again, with the same ids; never a later one of a person before an earlier.
//! Of whom the broker takes none while it takes those of others, the events are left out until they are tried again.

use super::{Services, held_back::HeldBack};
use crate::{
    domain::{Result, event::PlacedEvent},
    infra::{bus::Delivered, tracer},
    storage::{Leadership, Store, outbox},
};
use std::time::{Duration, Instant};

/// How many events one round hands over; the most that come twice after a fault.
const BATCH: u64 = 500;
/// The longest pause after trouble.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What came of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relayed {
    pub delivered: usize,
    /// Whether nothing arrives at all.
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
    pub async fn relay_events(&self, held: &mut HeldBack) -> Result<Relayed> {
        let freed = self.try_held_back(held).await?;
        let db = self.store.reader();
        let waiting = outbox::list_unpublished(db, held.people(), BATCH).await?;
        let mut done = self.hand_over(&waiting).await?;
        if done.is_in_vain() {
            // Either the broker is away, or it refuses these alone: others tell.
            let except = held.people().iter().chain(done.refused.keys());
            let except = except.copied().collect();
            let others = outbox::list_unpublished(db, &except, BATCH).await?;
            let others = self.hand_over(&others).await?;
            done.ids.extend(others.ids);
            done.refused.extend(others.refused);
        }
        let is_stuck = freed == 0 && done.is_in_vain();
        if let (true, Some(refused)) = (is_stuck, done.refused.values().next()) {
            let fault = &refused.fault;
            tracing::warn!(%fault, "events could not be delivered; they will be tried again");
        } else {
            self.hold_back(held, &done);
        }
        observe_held_back(held.people().len());
        Ok(Relayed {
            delivered: freed + done.ids.len(),
            is_stuck,
        })
    }

    /// Tries again the first event of each person who is held back, when it is time; how many arrived. Who is free again gets
    /// the later ones with everybody else's.
    async fn try_held_back(&self, held: &mut HeldBack) -> Result<usize> {
        if !held.are_due(self.now()) {
            return Ok(0);
        }
        let db = self.store.reader();
        let firsts = outbox::list_first_unpublished(db, held.people()).await?;
        let done = self.hand_over(&firsts).await?;
        held.keep(done.refused.into_keys().collect(), self.now());
        Ok(done.ids.len())
    }

    fn hold_back(&self, held: &mut HeldBack, done: &Delivered) {
        let Some(refused) = done.refused.values().next() else {
            return;
        };
        held.add(done.refused.keys().copied(), self.now());
        let (people, fault) = (done.refused.len(), &refused.fault);
        tracing::warn!(event_id = %refused.event, people, %fault, "the broker refuses an event: all of its person's wait, and others go on");
    }

    /// Hands events over and notes which have arrived.
    async fn hand_over(&self, waiting: &[PlacedEvent]) -> Result<Delivered> {
        if waiting.is_empty() {
            return Ok(Delivered::default());
        }
        tracer::root("deliver_events", self.hand_over_some(waiting)).await
    }

    async fn hand_over_some(&self, waiting: &[PlacedEvent]) -> Result<Delivered> {
        let db = self.store.reader();
        let events = waiting.iter().map(|placed| &placed.event);
        let events = self.open_events(db, events).await?;
        let done = self.bus.deliver(&events).await;
        if !done.ids.is_empty() {
            let tx = self.store.begin().await?;
            outbox::mark_published(&tx, &done.ids, self.now()).await?;
            Store::commit(tx).await?;
        }
        count("delivered", done.ids.len());
        count("delayed", events.len() - done.ids.len());
        Ok(done)
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
        let begun = Instant::now();
        let gone = outbox::delete_settled(&self.store, before, SWEEP, must_be_published).await?;
        if gone > 0 {
            tracer::tell_of_round("sweep_events", begun.elapsed());
        }
        metrics::counter!("usher_swept_rows_total").increment(gone);
        Ok(gone >= SWEEP.unsigned_abs())
    }
}

/// How many events one transaction deletes.
const SWEEP: i64 = 1_000;

/// Shows how many people are held back; nobody is by who does not lead.
pub fn observe_held_back(people: usize) {
    let people = u32::try_from(people).unwrap_or(u32::MAX);
    metrics::gauge!("usher_events_held_back_people").set(f64::from(people));
}

fn count(outcome: &'static str, events: usize) {
    metrics::counter!("usher_events_total", "outcome" => outcome).increment(events as u64);
}
