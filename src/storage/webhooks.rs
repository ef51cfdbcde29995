//! Webhooks with address and secrets sealed. How many there may be is settled by their slots; a change holds the row.

use super::{
    Tx,
    entity::webhooks::{self, Column, Entity, Model},
};
use crate::domain::{
    Error, Result, Timestamp,
    id::WebhookId,
    secret::Sealed,
    webhook::{DisabledReason, EventFilter, MOST_WEBHOOKS, Webhook},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType, OnConflict},
};
use uuid::Uuid;

/// A webhook as it is kept.
pub struct StoredWebhook {
    pub webhook: Webhook,
    pub url: Sealed,
    pub secret: Sealed,
    /// The secret before this one; it counts until [`Webhook::previous_secret_until`].
    pub previous_secret: Option<Sealed>,
}

/// Adds a webhook; false if there are as many as there may be.
pub async fn insert_webhook(tx: &Tx, stored: &StoredWebhook) -> Result<bool> {
    // Who takes a slot that was free a moment ago loses it to who was faster, and looks again.
    for _ in 0..MOST_WEBHOOKS {
        let taken: Vec<i16> = Entity::find()
            .select_only()
            .column(Column::Slot)
            .into_tuple()
            .all(tx)
            .await?;
        let Some(slot) = (1..=MOST_WEBHOOKS).find(|slot| !taken.contains(slot)) else {
            return Ok(false);
        };
        let mut row = columns(stored);
        row.id = Set(stored.webhook.id.0);
        row.slot = Set(slot);
        row.created_at = Set(stored.webhook.created_at);
        let inserted = Entity::insert(row)
            .on_conflict(OnConflict::column(Column::Slot).do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
        if inserted > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A page of them, oldest first; `beside` names the one next to it, and whether it ends there.
pub async fn list_webhooks(
    db: &impl ConnectionTrait,
    beside: Option<(WebhookId, bool)>,
    rows: u64,
) -> Result<Vec<StoredWebhook>> {
    let mut page = Entity::find();
    let is_backward = beside.is_some_and(|(_, is_backward)| is_backward);
    let order = if is_backward { Order::Desc } else { Order::Asc };
    if let Some((id, _)) = beside {
        page = page.filter(if is_backward {
            Column::Id.lt(id.0)
        } else {
            Column::Id.gt(id.0)
        });
    }
    let rows = page.order_by(Column::Id, order).limit(rows).all(db).await?;
    Ok(rows.into_iter().map(stored).collect())
}

/// One of them.
pub async fn find_webhook(
    db: &impl ConnectionTrait,
    id: WebhookId,
) -> Result<Option<StoredWebhook>> {
    Ok(Entity::find_by_id(id.0).one(db).await?.map(stored))
}

/// One of them, the row held until the transaction ends.
pub async fn lock_webhook(tx: &Tx, id: WebhookId) -> Result<StoredWebhook> {
    let row = Entity::find_by_id(id.0).lock_exclusive().one(tx).await?;
    row.map(stored).ok_or(Error::NotFound("webhook"))
}

/// Which of them are told of which events; none goes before the transaction ends.
pub async fn list_subscribers(tx: &Tx) -> Result<Vec<(WebhookId, EventFilter)>> {
    let rows: Vec<(Uuid, String)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::Events])
        .filter(Column::DisabledAt.is_null())
        .lock(LockType::KeyShare)
        .into_tuple()
        .all(tx)
        .await?;
    let subscriber = |(id, events): (Uuid, String)| (WebhookId(id), EventFilter::read(&events));
    Ok(rows.into_iter().map(subscriber).collect())
}

/// Writes a change and raises the version.
pub async fn update_webhook(tx: &Tx, stored: &mut StoredWebhook, now: Timestamp) -> Result<()> {
    stored.webhook.version += 1;
    stored.webhook.updated_at = now;
    Entity::update_many()
        .set(columns(stored))
        .filter(Column::Id.eq(stored.webhook.id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Deletes it and all deliveries to it.
pub async fn delete_webhook(tx: &Tx, id: WebhookId) -> Result<()> {
    Entity::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}

/// Remembers the first of a row of failures.
pub async fn note_failure(tx: &Tx, id: WebhookId, now: Timestamp) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::FailingSince, Expr::value(now))
        .filter(Column::Id.eq(id.0))
        .filter(Column::FailingSince.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends a row of failures.
pub async fn note_success(tx: &Tx, id: WebhookId) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::FailingSince, Expr::value(None::<Timestamp>))
        .filter(Column::Id.eq(id.0))
        .filter(Column::FailingSince.is_not_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Every column that a change may touch.
fn columns(stored: &StoredWebhook) -> webhooks::ActiveModel {
    let webhook = &stored.webhook;
    let previous = stored.previous_secret.as_ref();
    webhooks::ActiveModel {
        url_sealed: Set(stored.url.0.clone()),
        events: Set(webhook.events.to_text()),
        description: Set(webhook.description.clone()),
        secret_sealed: Set(stored.secret.0.clone()),
        previous_secret_sealed: Set(previous.map(|secret| secret.0.clone())),
        previous_secret_until: Set(webhook.previous_secret_until),
        disabled_at: Set(webhook.disabled.map(|(at, _)| at)),
        disabled_reason: Set(webhook.disabled.map(|(_, why)| why.as_str().to_owned())),
        failing_since: Set(webhook.failing_since),
        version: Set(webhook.version),
        updated_at: Set(webhook.updated_at),
        ..Default::default()
    }
}

fn stored(row: Model) -> StoredWebhook {
    let why = row
        .disabled_reason
        .as_deref()
        .and_then(DisabledReason::read);
    StoredWebhook {
        webhook: Webhook {
            id: WebhookId(row.id),
            events: EventFilter::read(&row.events),
            description: row.description,
            disabled: row.disabled_at.zip(why),
            failing_since: row.failing_since,
            previous_secret_until: row.previous_secret_until,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        },
        url: Sealed(row.url_sealed),
        secret: Sealed(row.secret_sealed),
        previous_secret: row.previous_secret_sealed.map(Sealed),
    }
}
