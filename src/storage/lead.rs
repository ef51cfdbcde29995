//! Who of several nodes does what only one may do. On SQLite there is one node, and it leads.

use crate::domain::Result;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

/// Whether this transaction leads: on PostgreSQL if no other holds this lock, which it then does until its end.
pub(super) async fn try_lead(db: &impl ConnectionTrait, lock: i64) -> Result<bool> {
    let backend = db.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(true);
    }
    let sql = "SELECT pg_try_advisory_xact_lock($1)";
    let lock = Statement::from_sql_and_values(backend, sql, [lock.into()]);
    let leads = db.query_one_raw(lock).await?;
    let leads = leads.map(|row| row.try_get_by_index(0)).transpose()?;
    Ok(leads.unwrap_or(false))
}
