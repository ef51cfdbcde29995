//! What nodes tell one another through PostgreSQL: `NOTIFY` in the transaction, so that a notice arrives exactly when the
//! commit has taken place, and `LISTEN` on a connection of its own.

use super::Store;
use crate::domain::Result;
use sea_orm::{DbBackend, DbErr, RuntimeErr, Statement};
use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolOptions},
};
use std::{sync::Arc, time::Duration};

const CHANNEL: &str = "nodes_of_usher";
/// Longer than that no connection is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Hears what is told, and has a voice that needs no connection of the pool.
pub struct Ear {
    listener: PgListener,
    pool: PgPool,
}

/// Tells outside a transaction.
#[derive(Clone)]
pub struct Voice(PgPool);

impl Ear {
    /// Listens; none on SQLite, where nobody tells anything.
    pub async fn open(store: &Store) -> Result<Option<Self>> {
        let Some(options) = store.postgres_options() else {
            return Ok(None);
        };
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options.clone());
        let mut listener = PgListener::connect_with(&pool).await.map_err(wrapped)?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await.map_err(wrapped)?;
        Ok(Some(Self { listener, pool }))
    }

    /// The next notice; none once the connection is lost, and with it possibly notices.
    pub async fn next(&mut self) -> Option<String> {
        match self.listener.try_recv().await {
            Ok(Some(notice)) => Some(notice.payload().to_owned()),
            Ok(None) | Err(_) => None,
        }
    }

    /// For telling without a transaction.
    pub fn voice(&self) -> Voice {
        Voice(self.pool.clone())
    }
}

impl Voice {
    /// Tells every listener.
    pub async fn tell(&self, notice: &str) -> Result<()> {
        let told = sqlx::query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(notice)
            .execute(&self.0)
            .await;
        told.map(drop).map_err(wrapped)
    }
}

/// The statement by which a transaction tells when it commits.
pub(super) fn notify(notice: String) -> Statement {
    let values = [CHANNEL.into(), notice.into()];
    Statement::from_sql_and_values(DbBackend::Postgres, "SELECT pg_notify($1, $2)", values)
}

fn wrapped(error: sqlx::Error) -> crate::domain::Error {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))).into()
}
