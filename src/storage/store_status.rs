//! How the database and its connections are doing.

use super::Store;
use crate::domain::Result;
use sea_orm::{ConnectionTrait as _, Statement};

/// Figures for `/db/status` and the metrics.
#[derive(Debug, Clone)]
pub struct StoreStatus {
    pub backend: &'static str,
    pub version: String,
    pub pool_size: u32,
    pub pool_idle: u32,
    pub pool_max: u32,
}

impl Store {
    /// Backend, version and pool figures.
    pub async fn status(&self) -> Result<StoreStatus> {
        let (backend, sql) = if self.is_postgres() {
            ("postgresql", "SELECT current_setting('server_version')")
        } else {
            ("sqlite", "SELECT sqlite_version()")
        };
        let row = self
            .read
            .query_one_raw(Statement::from_string(
                self.read.get_database_backend(),
                sql,
            ))
            .await?;
        let version = row
            .map(|row| row.try_get_by_index::<String>(0))
            .transpose()?;
        let (pool_size, pool_idle) = self.pool_figures();
        Ok(StoreStatus {
            backend,
            version: version.unwrap_or_default(),
            pool_size,
            pool_idle,
            pool_max: self.max_connections,
        })
    }

    /// Open and idle connections.
    pub fn pool_figures(&self) -> (u32, u32) {
        // The pool counts without a lock: for a moment its idle ones can read as less than none.
        let figures = |size: u32, idle: usize| (size, u32::try_from(idle).unwrap_or(0).min(size));
        if self.is_postgres() {
            let pool = self.read.get_postgres_connection_pool();
            return figures(pool.size(), pool.num_idle());
        }
        let (read, write) = (
            self.read.get_sqlite_connection_pool(),
            self.write.get_sqlite_connection_pool(),
        );
        let (read, read_idle) = figures(read.size(), read.num_idle());
        let (write, write_idle) = figures(write.size(), write.num_idle());
        (read + write, read_idle + write_idle)
    }
}
