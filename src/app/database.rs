//! The database as the configuration names it: connected, its schema brought up to date or refused, its copy for lists.

use crate::{
    config::{self, Config},
    infra::tracer,
    storage::{Replica, Store, StoreSettings, Synchronous, schema, search},
};
use anyhow::ensure;
use secrecy::ExposeSecret as _;

/// Connects to the configured database.
pub(crate) async fn connect(config: &Config) -> anyhow::Result<Store> {
    let settings = StoreSettings {
        url: config.database.url.expose_secret().to_owned(),
        pool_size: config.database.pool_size,
        max_connections: config.database.max_connections,
        acquire_timeout: config.database.acquire_timeout,
        synchronous: match config.database.sqlite_synchronous {
            config::Synchronous::Full => Synchronous::Full,
            config::Synchronous::Normal => Synchronous::Normal,
        },
    };
    let mut store = Store::connect(&settings).await?;
    if tracer::is_on() {
        store.tell_of_statements(tracer::tell_of_statement);
    }
    Ok(store)
}

/// Says if people can be searched for in some scripts only by reading everybody.
pub(super) async fn warn_of_unknown_letters(store: &Store) -> anyhow::Result<()> {
    if !search::knows_all_letters(store).await? {
        tracing::warn!(
            "the database's locale takes only A to Z for letters, so that a search in other scripts reads everybody: \
             make the database with LOCALE 'C.UTF-8' or that of a language"
        );
    }
    Ok(())
}

/// The copy for lists, if one is configured.
pub(super) async fn open_replica(config: &Config) -> anyhow::Result<Option<Replica>> {
    let Some(url) = &config.database.replica_url else {
        return Ok(None);
    };
    let most = config.database.max_connections;
    Ok(Some(Replica::open(url.expose_secret(), most).await?))
}

/// Migrates where that is allowed; else refuses a schema that is behind.
pub(super) async fn bring_schema(config: &Config, store: &Store) -> anyhow::Result<()> {
    let status = schema::status(store).await?;
    if status.is_current() {
        return Ok(());
    }
    ensure!(
        config.database.auto_migrate || !status.pending.is_empty(),
        "the database lacks indexes, for an import broke off: run `usher migrate up`, which makes them"
    );
    ensure!(
        config.database.auto_migrate,
        "the database lacks {} migrations of this version: run `usher migrate up` first, or set AUTO_MIGRATE=true",
        status.pending.len()
    );
    schema::up(store, None).await
}
