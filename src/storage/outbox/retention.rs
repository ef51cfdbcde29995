//! Which events go: past their time, and awaited by nobody.

use super::super::Store;
use crate::domain::{Result, Timestamp};
use sea_orm::{ConnectionTrait, Statement};

/// Deletes up to `limit` events of before this time that nobody waits for; how many went. The last one stays: the next
/// position follows from it.
pub async fn delete_settled(
    store: &Store,
    before: Timestamp,
    limit: i64,
    must_be_published: bool,
) -> Result<u64> {
    let published = if must_be_published {
        "AND published_at IS NOT NULL"
    } else {
        ""
    };
    let sql = format!(
        "DELETE FROM outbox_events WHERE id IN (SELECT id FROM outbox_events \
         WHERE occurred_at < $1 AND position < (SELECT MAX(position) FROM outbox_events) {published} \
         AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.event_id = outbox_events.id AND d.status = 'pending') \
         ORDER BY occurred_at LIMIT $2)"
    );
    let tx = store.begin().await?;
    let values = [before.into(), limit.into()];
    let delete = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let gone = tx.execute_raw(delete).await?.rows_affected();
    Store::commit(tx).await?;
    Ok(gone)
}
