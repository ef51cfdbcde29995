//! Lists, search and exports may come from a streaming copy of the database. Nothing that decides who may do what reads from it,
//! and neither does what shows people their own: `tests/it/replica.rs` names the files that may.

use super::Services;
use crate::{
    domain::{Error, Result},
    storage::Reader,
};
use std::{sync::atomic::Ordering, time::Duration};

/// A copy that takes longer is left alone, and the primary is asked.
const PATIENCE: Duration = Duration::from_secs(2);

impl Services {
    /// Reads what may be a moment old: from the copy while it keeps up, from the primary otherwise or when that fails.
    pub(super) async fn read_lists<T, F, R>(&self, read: F) -> Result<T>
    where
        F: Fn(Reader) -> R,
        R: Future<Output = Result<T>>,
    {
        let Some(replica) = &self.replica else {
            return read(self.store.reader().clone()).await;
        };
        if let Some(copy) = replica.reader() {
            match tokio::time::timeout(PATIENCE, read(copy.clone())).await {
                Ok(Err(Error::Internal(_) | Error::Unavailable(_))) | Err(_) => {
                    replica.distrust();
                    self.tell_of_replica(false);
                }
                Ok(answer) => {
                    metrics::counter!("usher_db_replica_reads_total", "from" => "replica")
                        .increment(1);
                    return answer;
                }
            }
        }
        metrics::counter!("usher_db_replica_reads_total", "from" => "primary").increment(1);
        read(self.store.reader().clone()).await
    }

    /// Whether there is a copy to be looked after.
    pub fn has_replica(&self) -> bool {
        self.replica.is_some()
    }

    /// Looks at how far the copy has come. That it fails is no failure: the primary is asked then.
    pub async fn watch_replica(&self) {
        let Some(replica) = &self.replica else {
            return;
        };
        if let Err(error) = replica.look(self.store.reader()).await {
            tracing::debug!(error = ?error, "the replica cannot be looked at");
        }
        self.tell_of_replica(replica.reader().is_some());
        let behind = replica.behind().map_or(f64::NAN, |time| time.as_secs_f64());
        metrics::gauge!("usher_db_replica_behind_seconds").set(behind);
    }

    /// Logs that the copy is read from again, or no longer; once each.
    fn tell_of_replica(&self, is_read: bool) {
        if self.replica_is_read.swap(is_read, Ordering::Relaxed) == is_read {
            return;
        }
        if is_read {
            tracing::info!("lists are read from the replica");
        } else {
            tracing::warn!("the replica is away or behind: lists are read from the primary");
        }
    }
}
