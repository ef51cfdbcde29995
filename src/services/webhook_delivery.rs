//! Delivering events to webhooks by Standard Webhooks 1.0: at least once, signed, with retries over three days. Of one
//! webhook only a few are under way at a time, so that a slow one holds up nobody else; order is not promised.

mod ending;

use super::{Services, after};
use crate::{
    domain::{Error, Result, cloud_event, id::WebhookId, webhook::Attempt},
    infra::tracer,
    storage::{
        Store, outbox,
        webhook_deliveries::{self, Claim},
        webhooks::{self, StoredWebhook},
    },
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};
use tokio::task::{Id, JoinSet};

/// How many deliveries of this node are under way at a time, to one webhook and in all.
const MOST_TO_ONE: usize = 4;
const MOST_AT_ONCE: usize = 64;
/// A claim lapses after this long, should the node that made it die; longer than any attempt may take.
const CLAIM: Duration = Duration::from_mins(2);
/// What is noted where there is no event any more.
const EVENT_GONE: &str = "event_gone";

/// The deliveries of this node that are under way.
#[derive(Default)]
pub struct Deliveries {
    running: JoinSet<()>,
    webhooks: HashMap<Id, WebhookId>,
}

impl Deliveries {
    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Waits for the end of one; false if none is under way.
    pub async fn one_ended(&mut self) -> bool {
        match self.running.join_next_with_id().await {
            Some(Ok((id, ()))) => drop(self.webhooks.remove(&id)),
            Some(Err(died)) => {
                tracing::error!(panicked = died.is_panic(), "a delivery died");
                self.webhooks.remove(&died.id());
            }
            None => return false,
        }
        true
    }

    /// How many may begin for each of these, who has fewest under way first.
    fn room_for(&self, due: &[WebhookId]) -> Vec<(WebhookId, usize)> {
        let under_way = |id: &WebhookId| self.webhooks.values().filter(|at| *at == id).count();
        let mut due: Vec<_> = due.iter().map(|id| (under_way(id), *id)).collect();
        due.sort_unstable();
        let mut left = MOST_AT_ONCE.saturating_sub(self.running.len());
        let mut rooms = Vec::new();
        for (under_way, id) in due {
            let room = MOST_TO_ONE.saturating_sub(under_way).min(left);
            left -= room;
            if room > 0 {
                rooms.push((id, room));
            }
        }
        rooms
    }
}

impl Services {
    /// Waits until a delivery was queued here, or for `at_most`.
    pub async fn wait_for_delivery(&self, at_most: Duration) {
        let queued = self.delivery_queued.notified();
        let _ = tokio::time::timeout(at_most, queued).await;
    }

    /// Begins what is due and has room; how many.
    pub async fn start_deliveries(&self, deliveries: &mut Deliveries) -> Result<usize> {
        let now = self.now();
        let due = webhook_deliveries::list_due_webhooks(self.store.reader(), now).await?;
        let rooms = deliveries.room_for(&due);
        if rooms.is_empty() {
            return Ok(0);
        }
        let mut claims = Vec::new();
        let tx = self.store.begin().await?;
        let span = (now, after(now, CLAIM));
        for (webhook, room) in rooms {
            let claimed = webhook_deliveries::claim_due(&tx, webhook, room as u64, span).await?;
            claims.extend(claimed);
        }
        Store::commit(tx).await?;
        let count = claims.len();
        for claim in claims {
            let (services, webhook) = (self.clone(), claim.webhook);
            let task = deliveries.running.spawn(async move {
                let delivered = tracer::root("deliver_webhook", services.deliver(&claim));
                if let Err(error) = delivered.await {
                    tracing::error!(delivery_id = %claim.id, error = ?error, "a delivery could not be worked on");
                }
            });
            deliveries.webhooks.insert(task.id(), webhook);
        }
        Ok(count)
    }

    /// Makes one attempt and settles it.
    async fn deliver(&self, claim: &Claim) -> Result<()> {
        let db = self.store.reader();
        let Some(stored) = webhooks::find_webhook(db, claim.webhook).await? else {
            // Deleted since, and the delivery with it.
            return Ok(());
        };
        if stored.webhook.disabled.is_some() {
            return Ok(());
        }
        let Some(body) = self.delivery_body(claim).await? else {
            let tx = self.store.begin().await?;
            let attempt = Attempt {
                answer: None,
                fault: Some(EVENT_GONE),
                duration: Duration::ZERO,
            };
            webhook_deliveries::mark_failed(&tx, claim, attempt, None).await?;
            return Store::commit(tx).await;
        };
        let attempt = self.attempt(claim, &stored, body).await?;
        self.settle_delivery(claim, &stored, attempt).await
    }

    /// The event in its envelope; none if it was swept.
    async fn delivery_body(&self, claim: &Claim) -> Result<Option<String>> {
        let db = self.store.reader();
        let event = outbox::find_event(db, claim.event).await?;
        let opened = self.open_events(db, event.iter()).await?;
        let body = opened.first().map(serde_json::to_string).transpose();
        body.map_err(Error::internal)
    }

    async fn attempt(
        &self,
        claim: &Claim,
        stored: &StoredWebhook,
        body: String,
    ) -> Result<Attempt> {
        let (now, id) = (self.now(), claim.event.to_string());
        let secrets = self.open_webhook_secrets(stored, now)?;
        let signatures = secrets.iter().map(|secret| secret.sign(&id, now, &body));
        let headers = [
            (
                "webhook-signature",
                signatures.collect::<Vec<_>>().join(" "),
            ),
            ("webhook-timestamp", now.timestamp().to_string()),
            ("webhook-id", id),
        ];
        let endpoint = self.open_endpoint(stored)?;
        let begun = Instant::now();
        let answer = self
            .outbound
            .post(endpoint.url(), cloud_event::CONTENT_TYPE, &headers, body)
            .await;
        let fault = match answer {
            Ok(200..=299) => None,
            // Followed, it could lead anywhere.
            Ok(300..=399) => Some("redirect"),
            Ok(_) => Some("status"),
            Err(fault) => Some(fault.as_str()),
        };
        Ok(Attempt {
            answer: answer.ok(),
            fault,
            duration: begun.elapsed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(number: u128) -> WebhookId {
        WebhookId(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn nobody_gets_more_room_than_is_fair() {
        let mut deliveries = Deliveries::default();
        for _ in 0..3 {
            let task = deliveries.running.spawn(std::future::pending());
            deliveries.webhooks.insert(task.id(), id(1));
        }
        let rooms = deliveries.room_for(&[id(1), id(2)]);
        assert_eq!(rooms, [(id(2), 4), (id(1), 1)]);
        let many: Vec<_> = (0..50).map(id).collect();
        let rooms = deliveries.room_for(&many);
        let begun: usize = rooms.iter().map(|(_, room)| room).sum();
        assert_eq!(begun, MOST_AT_ONCE - 3);
        assert!(rooms.iter().all(|(_, room)| *room <= MOST_TO_ONE));
    }
}
