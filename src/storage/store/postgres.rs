//! The connections to PostgreSQL: whether there is one to be had, and how many stay open.

use super::{Store, StoreSettings, is_at_rest, options};
use anyhow::Context as _;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use std::{sync::Arc, time::Duration};

/// A server that takes longer to answer at the start counts as out of reach.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long a server is given that is there and cannot take anybody yet.
const PAUSE: Duration = Duration::from_millis(100);

/// A move of the schema has one for its lock, and meanwhile asks where it stands.
const LEAST: u32 = 2;

/// So long a change of the schema may keep the others waiting before it has the lock.
const MOVER_LOCK_TIMEOUT: &str = "1s";

impl Store {
    pub(super) async fn connect_postgres(settings: &StoreSettings) -> anyhow::Result<Self> {
        // The URL holds a password, and sea-orm writes the one that it is given into a span: it gets an empty one.
        let real: PgConnectOptions = settings
            .url
            .parse()
            .map_err(|_| anyhow::anyhow!("DATABASE_URL is not one of PostgreSQL"))?;
        let real = real.disable_statement_logging().options([
            // A session without a durable commit would break the promise that what was acknowledged stays.
            ("synchronous_commit", "on"),
            ("lock_timeout", "5s"),
            // Searches are cut: each must read a table from its beginning for the pages of one to fit together.
            ("synchronize_seqscans", "off"),
        ]);
        try_out(&real)
            .await
            .context("cannot connect to PostgreSQL")?;
        let max_connections = settings.max_connections.max(LEAST);
        let pool_size = settings.pool_size.min(max_connections);
        let mut options = options("postgresql://", settings);
        options
            .max_connections(max_connections)
            .min_connections(pool_size)
            .connect_lazy(true);
        options.map_sqlx_postgres_before_acquire(|connection, _| is_at_rest(connection));
        let postgres = Some(real.clone());
        options.map_sqlx_postgres_opts(move |_| real.clone());
        let pool = Database::connect(options)
            .await
            .context("cannot connect to PostgreSQL")?;
        Ok(Self {
            write: pool.clone(),
            read: pool,
            max_connections,
            pool_size,
            postgres,
            witness: Arc::default(),
        })
    }

    /// One connection for changes of the schema; only on PostgreSQL.
    pub(in crate::storage) async fn connect_mover(&self) -> Result<DatabaseConnection, DbErr> {
        let timeout = [("lock_timeout", MOVER_LOCK_TIMEOUT)];
        let real = self.postgres.clone().unwrap_or_default().options(timeout);
        let mut options = ConnectOptions::new("postgresql://");
        options.max_connections(1).sqlx_logging(false);
        options.map_sqlx_postgres_opts(move |_| real.clone());
        Database::connect(options).await
    }

    /// Opens the connections that stay open, so that nobody waits for them later; those in use count.
    pub async fn fill(&self) {
        if !self.is_postgres() {
            return;
        }
        let pool = self.write.get_postgres_connection_pool();
        let mut held = Vec::new();
        while pool.size() < self.pool_size {
            match pool.acquire().await {
                Ok(connection) => held.push(connection),
                Err(error) => {
                    tracing::warn!(%error, "not all connections to the database could be opened");
                    return;
                }
            }
        }
    }
}

/// One connection, beside the pool: that one would go on trying for as long as a request may wait.
async fn try_out(options: &PgConnectOptions) -> anyhow::Result<()> {
    let connected = tokio::time::timeout(PATIENCE, first(options)).await;
    connected.context("it does not answer")??.close().await?;
    Ok(())
}

async fn first(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    loop {
        match options.connect().await {
            Err(sqlx::Error::Database(error)) if is_passing(error.code().as_deref()) => {
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

/// Whether the server says that it starts or stops, or has no connection left.
fn is_passing(code: Option<&str>) -> bool {
    matches!(code, Some("57P03" | "53300"))
}
