//! Forgetting what is past its time: ended sessions, spent links, revoked tokens, sent mails and those that could not be made.

use super::Services;
use crate::{domain::Result, infra::tracer, storage::sweep};
use std::time::Instant;

/// What ended is kept for so long, so that a late click is told "expired" rather than "unknown".
const KEEP_DAYS: i64 = 30;
/// How many rows of a kind one transaction deletes.
const BATCH: i64 = 1_000;

impl Services {
    /// Deletes a batch of each kind; whether there may be more.
    pub async fn sweep(&self) -> Result<bool> {
        let begun = Instant::now();
        let before = self.now() - chrono::TimeDelta::days(KEEP_DAYS);
        let gone = sweep::sweep(&self.store, before, BATCH).await?;
        let (attempts, more_attempts) = self.sweep_attempts().await?;
        let (deliveries, more_deliveries) = self.sweep_deliveries().await?;
        metrics::counter!("usher_swept_rows_total").increment(gone + attempts + deliveries);
        if gone + attempts + deliveries > 0 {
            tracer::tell_of_round("sweep", begun.elapsed());
        }
        Ok(gone >= BATCH.unsigned_abs() || more_attempts || more_deliveries)
    }
}
