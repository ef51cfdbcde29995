//! Which events go, and up to where some have gone: what waits is kept, so what has gone is not always what lies before.

use super::super::{Store, Tx};
use crate::domain::{Result, Timestamp};
use sea_orm::{ConnectionTrait, Statement};

/// The highest position of an event that was deleted; 0 if none was. Whoever has read up to this place or further has
/// missed nothing.
pub async fn get_horizon(db: &impl ConnectionTrait) -> Result<i64> {
    let sql = "SELECT position FROM event_horizon";
    let horizon = Statement::from_string(db.get_database_backend(), sql);
    let horizon = db.query_one_raw(horizon).await?;
    let horizon = horizon.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(horizon.unwrap_or(0))
}

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
         ORDER BY occurred_at LIMIT $2) RETURNING position"
    );
    let tx = store.begin().await?;
    let values = [before.into(), limit.into()];
    let delete = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let rows = tx.query_all_raw(delete).await?;
    let gone = rows.iter().map(|row| row.try_get_by_index::<i64>(0));
    let gone = gone.collect::<Result<Vec<_>, _>>()?;
    if let Some(highest) = gone.iter().max() {
        raise_horizon(&tx, *highest).await?;
    }
    Store::commit(tx).await?;
    Ok(gone.len() as u64)
}

/// In the transaction that deletes, so that no reader finds the one without the other.
async fn raise_horizon(tx: &Tx, position: i64) -> Result<()> {
    let sql = "INSERT INTO event_horizon (id, position) VALUES (1, $1) \
               ON CONFLICT (id) DO UPDATE SET position = excluded.position \
               WHERE event_horizon.position < excluded.position";
    let backend = tx.get_database_backend();
    tx.execute_raw(Statement::from_sql_and_values(
        backend,
        sql,
        [position.into()],
    ))
    .await?;
    Ok(())
}
