//! What is on its way to webhooks, for admins: looking at it, and sending it again.

use super::{Services, webhooks::entry};
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        client::Client,
        error::{Clash, Error},
        event::PlacedEvent,
        id::{DeliveryId, WebhookId},
        page::{Page, PageRequest},
        permission::Permission,
        webhook::{Delivery, DeliveryStatus},
    },
    storage::{
        Store, Tx,
        webhook_deliveries::{self, NewDelivery},
        webhooks,
    },
};
use serde_json::json;

/// The only order of the list: newest first.
pub const ORDER: &str = "-created_at";
const REPLAY: &str = "replay_webhook_delivery";
/// How many rows one transaction deletes.
const BATCH: i64 = 1_000;

impl Services {
    /// Adds the deliveries of these events, in the transaction in which they get their positions.
    pub(super) async fn queue_deliveries(&self, tx: &Tx, events: &[PlacedEvent]) -> Result<()> {
        let subscribers = webhooks::list_subscribers(tx).await?;
        let mut deliveries = Vec::new();
        for PlacedEvent { event, .. } in events {
            for (webhook, _) in subscribers
                .iter()
                .filter(|(_, filter)| filter.takes(&event.kind))
            {
                deliveries.push(NewDelivery {
                    id: self.new_id(),
                    webhook: *webhook,
                    event: event.id,
                    kind: event.kind.clone(),
                    created_at: self.now(),
                });
            }
        }
        webhook_deliveries::insert_deliveries(tx, deliveries).await
    }

    /// A page of the deliveries to a webhook, newest first.
    pub async fn list_webhook_deliveries(
        &self,
        who: &SignedIn,
        id: WebhookId,
        status: Option<DeliveryStatus>,
        request: &PageRequest,
    ) -> Result<Page<Delivery>> {
        who.must(Permission::ManageWebhooks)?;
        let db = self.store.reader();
        let found = webhooks::find_webhook(db, id).await?;
        found.ok_or(Error::NotFound("webhook"))?;
        let beside = request.cursor.as_ref();
        let beside = beside.map(|cursor| (DeliveryId(cursor.id), cursor.is_backward));
        let rows = request.rows();
        let rows = webhook_deliveries::list_deliveries(db, id, status, beside, rows).await?;
        Ok(Page::cut(rows, request, ORDER, |delivery| {
            (None, delivery.id.0)
        }))
    }

    /// Sends an event to a webhook again, at once and with all attempts before it, whatever became of it.
    pub async fn replay_webhook_delivery(
        &self,
        who: &SignedIn,
        (id, delivery): (WebhookId, DeliveryId),
        client: &Client,
    ) -> Result<Delivery> {
        let replayed = self.apply_replay(who, (id, delivery), client).await;
        self.trace_webhook(replayed, (REPLAY, who, Some(id)), client)
            .await
    }

    async fn apply_replay(
        &self,
        who: &SignedIn,
        (id, delivery): (WebhookId, DeliveryId),
        client: &Client,
    ) -> Result<Delivery> {
        who.must(Permission::ManageWebhooks)?;
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, who.into()).await?;
        let stored = webhooks::lock_webhook(&tx, id).await?;
        webhook_deliveries::get_delivery(&tx, id, delivery).await?;
        if stored.webhook.disabled.is_some() {
            return Err(Clash::State.into());
        }
        webhook_deliveries::replay(&tx, delivery, self.now()).await?;
        let details = json!({ "webhook_id": id, "delivery_id": delivery });
        self.audit(&tx, entry(REPLAY, who, client).with(details))
            .await?;
        let replayed = webhook_deliveries::get_delivery(&tx, id, delivery).await?;
        Store::commit(tx).await?;
        self.delivery_queued.notify_one();
        Ok(replayed)
    }

    /// Sets the gauges of what waits.
    pub(super) async fn observe_deliveries(&self) -> Result<()> {
        let db = self.store.reader();
        let pending = webhook_deliveries::count_pending(db).await?;
        let pending = f64::from(u32::try_from(pending).unwrap_or(u32::MAX));
        metrics::gauge!("usher_webhook_deliveries_pending").set(pending);
        let oldest = webhook_deliveries::find_oldest_pending(db).await?;
        let waited = oldest.map_or(0.0, |since| (self.now() - since).as_seconds_f64());
        metrics::gauge!("usher_webhook_oldest_pending_seconds").set(waited);
        Ok(())
    }

    /// Forgets a batch of deliveries that were settled long ago; how many, and whether there may be more.
    pub(super) async fn sweep_deliveries(&self) -> Result<(u64, bool)> {
        let before = super::before(self.now(), self.policy.webhook_retention);
        let tx = self.store.begin().await?;
        let gone = webhook_deliveries::delete_settled(&tx, before, BATCH).await?;
        Store::commit(tx).await?;
        Ok((gone, gone >= BATCH.unsigned_abs()))
    }
}
