//! Giving committed events their positions: of several nodes one is at it, so that positions become visible in their
//! order and whoever reads up to one misses nothing before it.

use super::Services;
use crate::{
    domain::{
        Error, Result,
        event::{self, PlacedEvent},
    },
    infra::tracer,
    storage::{Store, Tx, outbox},
};
use std::time::Duration;

/// Of how many people one transaction places events, and how many events.
const PEOPLE: u64 = 500;
const BATCH: u64 = 1_000;

impl Services {
    /// Gives a batch of the events that were committed so far their positions, unless another node is at it; how many.
    pub async fn place_events(&self) -> Result<u64> {
        if !self.has_unplaced_events().await? {
            return Ok(0);
        }
        tracer::root("place_events", self.place_batch()).await
    }

    /// Whether a committed event has no position yet, which another node may be about to give it.
    pub async fn has_unplaced_events(&self) -> Result<bool> {
        outbox::has_unplaced(self.store.reader()).await
    }

    async fn place_batch(&self) -> Result<u64> {
        let tx = self.store.begin().await?;
        if !outbox::try_lead(&tx).await? {
            return Ok(0);
        }
        let events = outbox::list_unplaced(&tx, PEOPLE, BATCH).await?;
        if events.is_empty() {
            return Ok(0);
        }
        let last = outbox::get_last_position(&tx).await?;
        let placed = event::place_after(last, events);
        let count = placed.len() as u64;
        if outbox::update_positions(&tx, &placed).await? != count {
            return Err(Error::internal(anyhow::anyhow!(
                "an event was placed by somebody else"
            )));
        }
        self.fan_out(&tx, &placed).await?;
        Store::commit(tx).await?;
        self.delivery_queued.notify_one();
        self.event_placed.notify_one();
        metrics::counter!("usher_events_placed_total").increment(count);
        Ok(count)
    }

    /// What is to happen for each event exactly once, in the transaction that places it.
    async fn fan_out(&self, tx: &Tx, events: &[PlacedEvent]) -> Result<()> {
        self.queue_deliveries(tx, events).await
    }

    /// Waits until an event may have been committed here, or for `at_most`.
    pub async fn wait_for_event(&self, at_most: Duration) {
        let queued = self.event_queued.notified();
        let _ = tokio::time::timeout(at_most, queued).await;
    }
}
