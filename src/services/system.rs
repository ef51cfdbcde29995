//! How the service itself is doing.

use super::Services;
use crate::{domain::Result, storage::schema};
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// The database as operators see it.
pub struct DatabaseStatus {
    pub backend: &'static str,
    pub version: String,
    pub latency: Duration,
    pub pool_size: u32,
    pub pool_idle: u32,
    pub pool_max: u32,
    pub applied: usize,
    pub pending: usize,
    pub latest: Option<String>,
}

impl Services {
    /// Fails while the database does not answer.
    pub async fn health(&self) -> Result<()> {
        self.store.ping().await
    }

    /// Backend, latency, pool and schema.
    pub async fn database_status(&self) -> Result<DatabaseStatus> {
        let begun = Instant::now();
        self.store.ping().await?;
        let latency = begun.elapsed();
        let status = self.store.status().await?;
        let (applied, pending) = schema::history(&self.store).await?;
        Ok(DatabaseStatus {
            backend: status.backend,
            version: status.version,
            latency,
            pool_size: status.pool_size,
            pool_idle: status.pool_idle,
            pool_max: status.pool_max,
            applied: applied.len(),
            pending,
            latest: applied.last().cloned(),
        })
    }

    /// Sets the gauges, and forgets limits that are not in use any more.
    pub async fn observe(&self) -> Result<()> {
        self.limiter.prune();
        let (size, idle) = self.store.pool_figures();
        metrics::gauge!("usher_db_connections", "state" => "open").set(size);
        metrics::gauge!("usher_db_connections", "state" => "idle").set(idle);
        let as_gauge = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        metrics::gauge!("usher_mails_pending").set(as_gauge(self.count_pending_mails().await?));
        metrics::gauge!("usher_mail_requests_pending")
            .set(as_gauge(self.count_mail_requests().await?));
        metrics::gauge!("usher_failed_logins_pending")
            .set(as_gauge(self.count_failed_logins().await?));
        let (undelivered, lag) = self.events_behind().await?;
        metrics::gauge!("usher_outbox_events_undelivered").set(as_gauge(undelivered));
        metrics::gauge!("usher_outbox_lag_seconds").set(lag);
        self.observe_deliveries().await
    }

    /// From now on the service tells load balancers to go elsewhere.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the service is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
