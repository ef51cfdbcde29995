//! What waits, over all webhooks, and what goes.

use super::super::{
    Tx,
    entity::webhook_deliveries::{Column, Entity},
};
use super::PENDING;
use crate::domain::{Result, Timestamp, id::WebhookId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
};
use uuid::Uuid;

const DUE: &str = "SELECT id FROM webhooks w WHERE disabled_at IS NULL AND EXISTS (SELECT 1 FROM webhook_deliveries d \
     WHERE d.webhook_id = w.id AND d.status = 'pending' AND d.next_attempt_at <= $1 \
     AND (d.claimed_until IS NULL OR d.claimed_until <= $1))";

const SETTLED: &str = "DELETE FROM webhook_deliveries WHERE id IN \
     (SELECT id FROM webhook_deliveries WHERE status <> 'pending' AND created_at < $1 LIMIT $2)";

/// What was added at the moment in which its webhook was switched off.
const LEFT_BEHIND: &str = "UPDATE webhook_deliveries SET status = 'dead', claimed_until = NULL, last_fault = 'disabled' \
     WHERE id IN (SELECT d.id FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id \
     WHERE d.status = 'pending' AND w.disabled_at IS NOT NULL LIMIT $1)";

/// The webhooks that are switched on and for which something is due.
pub async fn list_due_webhooks(
    db: &impl ConnectionTrait,
    now: Timestamp,
) -> Result<Vec<WebhookId>> {
    let due = Statement::from_sql_and_values(db.get_database_backend(), DUE, [now.into()]);
    let rows = db.query_all_raw(due).await?;
    let ids = rows.iter().map(|row| row.try_get::<Uuid>("", "id"));
    Ok(ids.map(|id| id.map(WebhookId)).collect::<Result<_, _>>()?)
}

/// How many deliveries wait.
pub async fn count_pending(db: &impl ConnectionTrait) -> Result<u64> {
    let pending = Entity::find().filter(Column::Status.eq(PENDING));
    Ok(pending.count(db).await?)
}

/// Since when the oldest of them waits.
pub async fn find_oldest_pending(db: &impl ConnectionTrait) -> Result<Option<Timestamp>> {
    let oldest = Entity::find()
        .select_only()
        .column(Column::CreatedAt)
        .filter(Column::Status.eq(PENDING))
        .order_by_asc(Column::CreatedAt)
        .limit(1);
    Ok(oldest.into_tuple().one(db).await?)
}

/// Deletes a batch of what was settled and began before `before`, and gives up what a switched-off webhook left; how many
/// were deleted.
pub async fn delete_settled(tx: &Tx, before: Timestamp, batch: i64) -> Result<u64> {
    let backend = tx.get_database_backend();
    let left = Statement::from_sql_and_values(backend, LEFT_BEHIND, [batch.into()]);
    tx.execute_raw(left).await?;
    let settled = [before.into(), batch.into()];
    let settled = Statement::from_sql_and_values(backend, SETTLED, settled);
    Ok(tx.execute_raw(settled).await?.rows_affected())
}
