//! The connection to the database. On SQLite every write goes through one connection with `BEGIN IMMEDIATE`, and reads
//! through their own; on PostgreSQL both are the same pool.

mod postgres;
mod statements;
#[cfg(test)]
mod tests;

use super::tx::{Tx, Witness};
use crate::domain::Result;
use anyhow::Context as _;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sqlx::{
    Connection,
    postgres::PgConnectOptions,
    sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use std::{
    fs::{DirBuilder, OpenOptions},
    future::ready,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Reads outside a transaction.
pub type Reader = DatabaseConnection;

/// How hard SQLite waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// A commit survives the loss of power.
    Full,
    /// A commit survives the death of the process; the last ones may go with the power.
    Normal,
}

/// What is needed to connect.
#[derive(Clone)]
pub struct StoreSettings {
    /// `postgresql://..` or `sqlite://path`.
    pub url: String,
    /// So many connections stay open; counts for PostgreSQL only.
    pub pool_size: u32,
    pub max_connections: u32,
    /// Who waits longer for a connection is told that the service is unavailable.
    pub acquire_timeout: Duration,
    pub synchronous: Synchronous,
}

/// The database.
#[derive(Clone)]
pub struct Store {
    pub(super) write: DatabaseConnection,
    pub(super) read: DatabaseConnection,
    pub(super) max_connections: u32,
    /// How PostgreSQL is reached.
    postgres: Option<PgConnectOptions>,
    /// So many connections stay open.
    pool_size: u32,
    witness: Arc<OnceLock<Arc<dyn Witness>>>,
}

/// KiB of SQLite's pages that the writer keeps; negative, as the pragma wants KiB.
const WRITER_CACHE: &str = "-65536";

/// The same of a reader, which forgets them with each commit, and maps the first part of the file besides.
const READER_CACHE: &str = "-8192";

impl Store {
    /// Connects; on SQLite makes the file and its folder.
    pub async fn connect(settings: &StoreSettings) -> anyhow::Result<Self> {
        if let Some(path) = settings.url.strip_prefix("sqlite://") {
            return Self::connect_sqlite(path, settings).await;
        }
        Self::connect_postgres(settings).await
    }

    async fn connect_sqlite(path: &str, settings: &StoreSettings) -> anyhow::Result<Self> {
        make_private(Path::new(path))?;
        let synchronous = match settings.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        };
        let tune = move |o: sqlx::sqlite::SqliteConnectOptions| {
            o.journal_mode(SqliteJournalMode::Wal)
                .synchronous(synchronous)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(5))
                .pragma("mmap_size", "268435456")
                .pragma("temp_store", "memory")
        };
        let mut writer = options(&format!("sqlite://{path}?mode=rwc"), settings);
        // What is deleted is overwritten, so that an erased person is not found in the file.
        writer
            .max_connections(1)
            .min_connections(1)
            .map_sqlx_sqlite_opts(move |o| {
                tune(o)
                    .pragma("cache_size", WRITER_CACHE)
                    .pragma("secure_delete", "on")
            })
            .map_sqlx_sqlite_before_acquire(|connection, _| is_at_rest(connection));
        let write = Database::connect(writer)
            .await
            .context("cannot open the SQLite file")?;
        let readers = settings.max_connections.clamp(1, 4);
        let mut reader = options(&format!("sqlite://{path}?mode=ro"), settings);
        reader
            .max_connections(readers)
            .map_sqlx_sqlite_opts(move |o| {
                tune(o).pragma("cache_size", READER_CACHE).read_only(true)
            });
        let read = Database::connect(reader)
            .await
            .context("cannot open the SQLite file for reading")?;
        Ok(Self {
            write,
            read,
            max_connections: readers + 1,
            pool_size: 0,
            postgres: None,
            witness: Arc::default(),
        })
    }

    /// Has every commit that makes checks of tokens untrue told to this one; the first one stays.
    pub fn tell(&self, witness: Arc<dyn Witness>) {
        let _ = self.witness.set(witness);
    }

    /// How PostgreSQL is reached; none on SQLite.
    pub(super) fn postgres_options(&self) -> Option<&PgConnectOptions> {
        self.postgres.as_ref()
    }

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx::new(
            self.begin_plain().await?,
            self.witness.get().cloned(),
        ))
    }

    /// Begins one of which nobody is told.
    pub(super) async fn begin_plain(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.write.begin_with_options(options).await?)
    }

    /// Commits. After an error nobody knows whether it took place: the caller is told to try again.
    pub async fn commit(tx: Tx) -> Result<()> {
        tx.commit().await
    }

    /// Folds SQLite's write-ahead log into the file and cuts it, so that nothing deleted stays in it; waits for readers.
    pub async fn fold_log(&self) -> Result<()> {
        if self.is_postgres() {
            return Ok(());
        }
        let fold = Statement::from_string(
            self.write.get_database_backend(),
            "PRAGMA wal_checkpoint(TRUNCATE)",
        );
        let done = self.write.query_one_raw(fold).await?;
        let is_busy = done.map(|row| row.try_get_by_index::<i32>(0)).transpose()?;
        if is_busy != Some(0) {
            tracing::warn!(
                "readers kept the log of the SQLite file from being folded; the next fold does it"
            );
        }
        Ok(())
    }

    /// For reads that need no transaction.
    pub fn reader(&self) -> &Reader {
        &self.read
    }

    /// For schema changes, which manage their own transactions.
    pub(super) fn writer(&self) -> &DatabaseConnection {
        &self.write
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.write.get_database_backend() == DbBackend::Postgres
    }

    /// Asks the database something small.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.read.ping().await?)
    }

    /// Closes the connections; on SQLite this also folds the write-ahead log into the file.
    pub async fn close(&self) {
        for pool in [&self.read, &self.write] {
            if let Err(error) = pool.close_by_ref().await {
                tracing::warn!(%error, "closing the database failed");
            }
        }
    }
}

/// Makes the file and its folder where they are missing, for their owner alone; SQLite gives its log the same rights.
fn make_private(path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .context("cannot make the folder of the SQLite file")?;
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .context("cannot make the SQLite file")?;
    Ok(())
}

fn options(url: &str, settings: &StoreSettings) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .acquire_timeout(settings.acquire_timeout)
        .connect_timeout(settings.acquire_timeout)
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(Duration::from_secs(30))
        .sqlx_logging(false);
    options
}

/// What the pool asks of a connection before it hands it out.
type Checked<'a> = Pin<Box<dyn Future<Output = Result<bool, sqlx::Error>> + Send + 'a>>;

/// Whether a connection may be used again. If SQLite ends a transaction by itself (a full disk), the driver goes on
/// counting it, takes later ones for parts of it, and nothing would ever be committed again.
fn is_at_rest<C: Connection>(connection: &mut C) -> Checked<'_> {
    let is_in_transaction = connection.is_in_transaction();
    if is_in_transaction {
        tracing::warn!("a connection is dropped in which a transaction did not end");
    }
    Box::pin(ready(Ok(!is_in_transaction)))
}
