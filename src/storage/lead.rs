//! Who of several nodes does what only one may do. On SQLite there is one node, and it leads.

use super::{Store, wall::from_sqlx};
use crate::domain::Result;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use std::time::Duration;

/// A database that takes longer to answer counts as gone.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// That this process does what only one may do, for as long as this value is there. On PostgreSQL a session of its own
/// holds the lock: it ends with the process, and another one can take it.
pub struct Leadership {
    session: Option<PgConnection>,
}

impl Leadership {
    /// Takes the lead, unless another process has it.
    pub(super) async fn try_take(store: &Store, lock: i64) -> Result<Option<Self>> {
        if !store.is_postgres() {
            return Ok(Some(Self { session: None }));
        }
        let mut session = open_session(store).await?;
        let taken = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(lock)
            .fetch_one(&mut session);
        let leads: bool = taken.await.map_err(from_sqlx)?;
        Ok(leads.then_some(Self {
            session: Some(session),
        }))
    }

    /// Whether the lead is still ours: it goes with the session.
    pub async fn holds(&mut self) -> bool {
        match &mut self.session {
            None => true,
            Some(session) => {
                let answered = tokio::time::timeout(PATIENCE, session.ping()).await;
                matches!(answered, Ok(Ok(())))
            }
        }
    }

    /// Gives the lead back at once.
    pub async fn give_back(self) {
        if let Some(session) = self.session {
            let _ = tokio::time::timeout(PATIENCE, session.close()).await;
        }
    }
}

/// A connection of its own beside the pool. A server that hears nothing from it for half a minute ends it.
async fn open_session(store: &Store) -> Result<PgConnection> {
    let pool = store.writer().get_postgres_connection_pool();
    let keep_alive = [
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "4"),
    ];
    let options = PgConnectOptions::clone(&pool.connect_options()).options(keep_alive);
    options.connect().await.map_err(from_sqlx)
}
