//! The schema's state and its moves: migrate up, down, status. Several nodes may start at once: one of them migrates
//! while the others wait, on PostgreSQL for an advisory lock, on SQLite for the file.

use super::{Store, deferred_indexes, migration::Migrator};
use crate::domain::Result;
use anyhow::Context as _;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryOrder, RuntimeErr, Statement,
};
use sea_orm_migration::{MigratorTrait, seaql_migrations};
use std::time::Duration;

/// `usher` in ASCII: the key of the lock that migrations take.
const LOCK: i64 = 0x75_73_68_65_72;

/// A migration that did not get a lock is tried so often, with a pause in between in which others go on.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// Where the schema stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaStatus {
    pub applied: Vec<String>,
    pub pending: Vec<String>,
    /// Whether an import broke off that had put off indexes.
    pub lacks_indexes: bool,
}

impl SchemaStatus {
    /// Whether the database has every migration of this binary, and all of its indexes.
    pub fn is_current(&self) -> bool {
        self.pending.is_empty() && !self.lacks_indexes
    }
}

/// What is applied and what is not; fails on a database that is newer than this binary.
pub async fn status(store: &Store) -> anyhow::Result<SchemaStatus> {
    let names = |list: Vec<sea_orm_migration::Migration>| {
        list.iter().map(|m| m.name().to_owned()).collect()
    };
    let db = store.reader();
    let newer = "the database's schema is newer than this binary, or cannot be read";
    let applied = Migrator::get_applied_migrations_read_only(db).await;
    let pending = Migrator::get_pending_migrations_read_only(db).await;
    let applied: Vec<String> = names(applied.context(newer)?);
    let pending = names(pending.context(newer)?);
    Ok(SchemaStatus {
        lacks_indexes: deferred_indexes::has_deferred(db, &applied).await?,
        applied,
        pending,
    })
}

/// What is applied, in order, and how many of this binary's migrations are not: also where a later version has moved the
/// schema on under a node that still serves.
pub async fn history(store: &Store) -> Result<(Vec<String>, usize)> {
    let rows = seaql_migrations::Entity::find().order_by_asc(seaql_migrations::Column::Version);
    let rows = rows.all(store.reader()).await?;
    let applied: Vec<String> = rows.into_iter().map(|row| row.version).collect();
    let own = Migrator::migrations();
    let pending = own
        .iter()
        .filter(|own| !applied.iter().any(|name| name == own.name()));
    let pending = pending.count();
    Ok((applied, pending))
}

/// Applies the next `steps` migrations, or all; makes indexes again that an import has left out.
pub async fn up(store: &Store, steps: Option<u32>) -> anyhow::Result<()> {
    let tx = lock(store).await?;
    let SchemaStatus {
        pending,
        lacks_indexes,
        ..
    } = status(store).await?;
    if lacks_indexes {
        if store.is_postgres() {
            deferred_indexes::restore_indexes(store).await?;
        } else {
            deferred_indexes::restore(&tx).await?;
        }
    }
    let moved = if store.is_postgres() {
        one_by_one(store, Way::Up, at_most(steps, &pending)).await
    } else {
        Migrator::up(&tx, steps).await
    };
    moved.context("migrating up failed")?;
    Ok(tx.commit().await?)
}

/// Takes back the last `steps` migrations, or all; the data in their tables goes.
pub async fn down(store: &Store, steps: Option<u32>) -> anyhow::Result<()> {
    if status(store).await?.lacks_indexes {
        deferred_indexes::restore_indexes(store).await?;
    }
    let tx = lock(store).await?;
    let moved = if store.is_postgres() {
        let applied = status(store).await?.applied;
        one_by_one(store, Way::Down, at_most(steps, &applied)).await
    } else {
        Migrator::down(&tx, steps).await
    };
    moved.context("migrating down failed")?;
    Ok(tx.commit().await?)
}

#[derive(Clone, Copy)]
enum Way {
    Up,
    Down,
}

fn at_most(steps: Option<u32>, list: &[String]) -> usize {
    steps.map_or(list.len(), |steps| list.len().min(steps as usize))
}

/// Moves on PostgreSQL while others use the database. Whoever comes after a statement that waits for a table waits with
/// it: so each migration gives up soon, lets the others through, and is tried again.
async fn one_by_one(store: &Store, way: Way, count: usize) -> Result<(), DbErr> {
    let db = store.connect_mover().await?;
    for _ in 0..count {
        let mut attempt = 1;
        loop {
            let moved = match way {
                Way::Up => Migrator::up(&db, Some(1)).await,
                Way::Down => Migrator::down(&db, Some(1)).await,
            };
            match moved {
                Err(error) if lacks_lock(&error) && attempt < ATTEMPTS => {
                    tracing::info!(attempt, "a migration waits for a table that is in use");
                    attempt += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                moved => break moved?,
            }
        }
    }
    db.close().await
}

/// Whether a statement gave up waiting for a lock (`lock_not_available`).
fn lacks_lock(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
        error
    else {
        return false;
    };
    let error = error.as_database_error();
    error.is_some_and(|error| error.code().as_deref() == Some("55P03"))
}

/// Keeps other nodes from migrating until it ends; refuses a database that is newer than this binary. On SQLite the migrations run inside it, because there they have no
/// transactions of their own; on PostgreSQL they do, and it only holds the lock.
async fn lock(store: &Store) -> anyhow::Result<DatabaseTransaction> {
    status(store).await?;
    let tx = store.begin_plain().await?;
    if store.is_postgres() {
        // Waiting for another node's migration may take longer than the pool's lock timeout.
        tx.execute_unprepared("SET LOCAL lock_timeout = 0").await?;
        let sql = "SELECT pg_advisory_xact_lock($1)";
        tx.execute_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            [LOCK.into()],
        ))
        .await?;
    }
    Ok(tx)
}
