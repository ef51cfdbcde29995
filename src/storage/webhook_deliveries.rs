//! Events on their way to webhooks. A node claims what is due for a while; a claim lapses by itself, so that what a dying
//! node held comes back. Whoever settles a failed attempt names its claim: a later claim is another's.

use super::{
    Tx,
    entity::webhook_deliveries::{self, ActiveModel, Column, Entity, Model},
};
use crate::domain::{
    Error, Result, Timestamp,
    id::{DeliveryId, EventId, WebhookId},
    webhook::{Attempt, Delivery, DeliveryStatus},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, Order, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType, OnConflict},
};
use std::time::Duration;
use uuid::Uuid;

mod counts;

pub use counts::{count_pending, delete_settled, find_oldest_pending, list_due_webhooks};

const PENDING: &str = "pending";
/// How many rows one statement inserts, so that SQLite's bound on values is kept.
const CHUNK: usize = 500;

/// A delivery to be made.
pub struct NewDelivery {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub event: EventId,
    pub kind: String,
    pub created_at: Timestamp,
}

/// A delivery that this node makes now.
#[derive(Debug, Clone)]
pub struct Claim {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub event: EventId,
    /// This one included.
    pub attempts: u32,
    pub until: Timestamp,
}

/// Adds deliveries, due at once; an event goes to a webhook once.
pub async fn insert_deliveries(tx: &Tx, deliveries: Vec<NewDelivery>) -> Result<()> {
    let mut rows = deliveries.into_iter().map(new_row).peekable();
    while rows.peek().is_some() {
        let chunk: Vec<_> = rows.by_ref().take(CHUNK).collect();
        Entity::insert_many(chunk)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

fn new_row(new: NewDelivery) -> ActiveModel {
    ActiveModel {
        id: Set(new.id.0),
        webhook_id: Set(new.webhook.0),
        event_id: Set(new.event.0),
        r#type: Set(new.kind),
        status: Set(PENDING.to_owned()),
        attempts: Set(0),
        next_attempt_at: Set(new.created_at),
        claimed_until: Set(None),
        last_attempt_at: Set(None),
        last_answer: Set(None),
        last_fault: Set(None),
        last_duration_ms: Set(None),
        created_at: Set(new.created_at),
    }
}

/// Claims up to `limit` due deliveries to a webhook until then, oldest first, and counts the attempts.
pub async fn claim_due(
    tx: &Tx,
    webhook: WebhookId,
    limit: u64,
    (now, until): (Timestamp, Timestamp),
) -> Result<Vec<Claim>> {
    let rows = Entity::find()
        .filter(Column::WebhookId.eq(webhook.0))
        .filter(Column::Status.eq(PENDING))
        .filter(Column::NextAttemptAt.lte(now))
        .filter(is_free(now))
        .order_by_asc(Column::NextAttemptAt)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    if !ids.is_empty() {
        Entity::update_many()
            .col_expr(Column::ClaimedUntil, Expr::value(until))
            .col_expr(Column::LastAttemptAt, Expr::value(now))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::Id.is_in(ids))
            .exec(tx)
            .await?;
    }
    let claim = |row: Model| Claim {
        id: DeliveryId(row.id),
        webhook,
        event: EventId(row.event_id),
        attempts: row.attempts.unsigned_abs() + 1,
        until,
    };
    Ok(rows.into_iter().map(claim).collect())
}

fn is_free(now: Timestamp) -> Condition {
    Condition::any()
        .add(Column::ClaimedUntil.is_null())
        .add(Column::ClaimedUntil.lte(now))
}

/// Notes that it has arrived, whoever has claimed it meanwhile.
pub async fn mark_delivered(tx: &Tx, claim: &Claim, attempt: Attempt) -> Result<()> {
    Entity::update_many()
        .set(ended(DeliveryStatus::Delivered, attempt))
        .filter(Column::Id.eq(claim.id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Notes a failed attempt: when the next one is due, or none when it is given up.
pub async fn mark_failed(
    tx: &Tx,
    claim: &Claim,
    attempt: Attempt,
    next: Option<Timestamp>,
) -> Result<()> {
    let status = next.map_or(DeliveryStatus::Dead, |_| DeliveryStatus::Pending);
    let mut row = ended(status, attempt);
    if let Some(next) = next {
        row.next_attempt_at = Set(next);
    }
    Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(claim.id.0))
        .filter(Column::Status.eq(PENDING))
        .filter(Column::ClaimedUntil.eq(claim.until))
        .exec(tx)
        .await?;
    Ok(())
}

fn ended(status: DeliveryStatus, attempt: Attempt) -> ActiveModel {
    ActiveModel {
        status: Set(status.as_str().to_owned()),
        claimed_until: Set(None),
        last_answer: Set(attempt.answer.map(i32::from)),
        last_fault: Set(attempt.fault.map(str::to_owned)),
        last_duration_ms: Set(i64::try_from(attempt.duration.as_millis()).ok()),
        ..Default::default()
    }
}

/// Gives up all that waits for a webhook.
pub async fn give_up_pending(tx: &Tx, webhook: WebhookId, fault: &str) -> Result<u64> {
    let done = Entity::update_many()
        .col_expr(Column::Status, Expr::value(DeliveryStatus::Dead.as_str()))
        .col_expr(Column::ClaimedUntil, Expr::value(None::<Timestamp>))
        .col_expr(Column::LastFault, Expr::value(fault))
        .filter(Column::WebhookId.eq(webhook.0))
        .filter(Column::Status.eq(PENDING))
        .exec(tx)
        .await?;
    Ok(done.rows_affected)
}

/// Makes a delivery due at once, with all attempts before it.
pub async fn replay(tx: &Tx, id: DeliveryId, now: Timestamp) -> Result<()> {
    let row = ActiveModel {
        status: Set(PENDING.to_owned()),
        attempts: Set(0),
        next_attempt_at: Set(now),
        ..Default::default()
    };
    Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// A delivery to this webhook.
pub async fn get_delivery(
    db: &impl ConnectionTrait,
    webhook: WebhookId,
    id: DeliveryId,
) -> Result<Delivery> {
    let found = Entity::find_by_id(id.0).filter(Column::WebhookId.eq(webhook.0));
    let row = found.one(db).await?;
    row.and_then(delivery).ok_or(Error::NotFound("delivery"))
}

/// Up to `rows` deliveries to a webhook, newest first, or oldest first after (`is_backward`) the one that is named.
pub async fn list_deliveries(
    db: &impl ConnectionTrait,
    webhook: WebhookId,
    status: Option<DeliveryStatus>,
    beside: Option<(DeliveryId, bool)>,
    rows: u64,
) -> Result<Vec<Delivery>> {
    let mut page = Entity::find().filter(Column::WebhookId.eq(webhook.0));
    if let Some(status) = status {
        page = page.filter(Column::Status.eq(status.as_str()));
    }
    let is_backward = beside.is_some_and(|(_, is_backward)| is_backward);
    let order = if is_backward { Order::Asc } else { Order::Desc };
    if let Some((id, _)) = beside {
        page = page.filter(if is_backward {
            Column::Id.gt(id.0)
        } else {
            Column::Id.lt(id.0)
        });
    }
    let rows = page.order_by(Column::Id, order).limit(rows).all(db).await?;
    Ok(rows.into_iter().filter_map(delivery).collect())
}

fn delivery(row: webhook_deliveries::Model) -> Option<Delivery> {
    let status = DeliveryStatus::read(&row.status)?;
    let is_pending = status == DeliveryStatus::Pending;
    let millis = |ms: i64| Duration::from_millis(ms.unsigned_abs());
    Some(Delivery {
        id: DeliveryId(row.id),
        webhook: WebhookId(row.webhook_id),
        event: EventId(row.event_id),
        kind: row.r#type,
        status,
        attempts: row.attempts.unsigned_abs(),
        next_attempt_at: is_pending.then_some(row.next_attempt_at),
        last_attempt_at: row.last_attempt_at,
        last_answer: row
            .last_answer
            .and_then(|status| u16::try_from(status).ok()),
        last_fault: row.last_fault,
        last_duration: row.last_duration_ms.map(millis),
        created_at: row.created_at,
    })
}
