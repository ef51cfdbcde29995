//! A streaming copy of PostgreSQL that only reads. It is believed for as long as it surely holds everything that was committed
//! [`MOST_BEHIND`] ago: by the place in the primary's log that it has replayed, not by what anybody's clock says.

use super::Reader;
use crate::domain::{Error, Result, error::Part};
use anyhow::Context as _;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, Statement};
use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A copy that is further behind is not read from.
pub const MOST_BEHIND: Duration = Duration::from_secs(2);

/// What a connection or a look at how far it is may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// Looks at the primary that are remembered until the copy has come as far.
const MOST_LOOKS: usize = 64;

const WRITTEN: &str = "SELECT (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint";
const REPLAYED: &str = "SELECT CASE WHEN pg_is_in_recovery() \
    THEN (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint END";

/// The copy, and how far it is known to be.
pub struct Replica {
    pool: Reader,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// When the primary's log was how long, oldest first.
    looks: VecDeque<(Instant, i64)>,
    /// The copy holds everything that was committed before.
    as_of: Option<Instant>,
}

impl Replica {
    /// Makes the pool; connects when it is first asked, for a copy that is away must not keep the service from starting.
    pub async fn open(url: &str, max_connections: u32) -> anyhow::Result<Self> {
        // As for the primary: sea-orm writes the URL that it is given into a span, so it gets one without a password.
        let real: PgConnectOptions = url
            .parse()
            .map_err(|_| anyhow::anyhow!("DATABASE_REPLICA_URL is not one of PostgreSQL"))?;
        let real = real.disable_statement_logging();
        let mut options = ConnectOptions::new("postgresql://");
        options
            .max_connections(max_connections)
            .min_connections(0)
            .acquire_timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .test_before_acquire(false)
            .connect_lazy(true)
            .sqlx_logging(false);
        options.map_sqlx_postgres_opts(move |_| {
            real.clone().options([
                ("default_transaction_read_only", "on"),
                ("synchronize_seqscans", "off"),
            ])
        });
        let pool = Database::connect(options)
            .await
            .context("DATABASE_REPLICA_URL cannot be used")?;
        Ok(Self {
            pool,
            known: Mutex::default(),
        })
    }

    /// For reads that may be [`MOST_BEHIND`]; none while the copy may be further.
    pub fn reader(&self) -> Option<&Reader> {
        self.behind()
            .is_some_and(|behind| behind <= MOST_BEHIND)
            .then_some(&self.pool)
    }

    /// How far behind the copy may be at most; none while nothing is known.
    pub fn behind(&self) -> Option<Duration> {
        self.known().as_of.map(|as_of| as_of.elapsed())
    }

    /// It has failed: it is not asked again before the next look.
    pub fn distrust(&self) {
        *self.known() = Known::default();
    }

    /// Looks at how long the primary's log is and how far the copy has come.
    pub async fn look(&self, primary: &Reader) -> Result<()> {
        let now = Instant::now();
        let written = place(primary, WRITTEN).await?;
        let replayed = tokio::time::timeout(PATIENCE, place(&self.pool, REPLAYED)).await;
        let replayed = replayed.unwrap_or(Err(Error::Unavailable(Part::Database)))?;
        let (Some(written), Some(replayed)) = (written, replayed) else {
            let fault = "DATABASE_REPLICA_URL is no streaming copy of DATABASE_URL";
            return Err(Error::Internal(anyhow::anyhow!(fault)));
        };
        self.known().learn(now, written, replayed);
        Ok(())
    }

    /// Closes the connections.
    pub async fn close(&self) {
        if let Err(error) = self.pool.close_by_ref().await {
            tracing::warn!(%error, "closing the replica's connections failed");
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// At `now` the primary's log was `written` long; after that the copy had replayed it up to `replayed`.
    fn learn(&mut self, now: Instant, written: i64, replayed: i64) {
        self.looks.push_back((now, written));
        while let Some((at, place)) = self.looks.front().copied()
            && place <= replayed
        {
            self.as_of = Some(at);
            self.looks.pop_front();
        }
        if self.looks.len() > MOST_LOOKS {
            self.looks.pop_front();
        }
    }
}

/// A place in the log.
async fn place(db: &Reader, sql: &str) -> Result<Option<i64>> {
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    Ok(row
        .map(|row| row.try_get_by_index::<Option<i64>>(0))
        .transpose()?
        .flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_as_old_as_the_last_look_that_it_has_caught_up_with() {
        let begin = Instant::now();
        let at = |second| begin + Duration::from_secs(second);
        let mut known = Known::default();
        known.learn(at(0), 100, 50);
        assert_eq!(known.as_of, None);
        known.learn(at(1), 200, 150);
        assert_eq!(known.as_of, Some(at(0)));
        known.learn(at(2), 300, 199);
        assert_eq!(known.as_of, Some(at(0)));
        known.learn(at(3), 300, 300);
        assert_eq!(known.as_of, Some(at(3)));
        assert!(known.looks.is_empty());
    }

    #[test]
    fn a_copy_that_stands_still_is_not_remembered_for_ever() {
        let mut known = Known::default();
        for place in 0..1000 {
            known.learn(Instant::now(), place, -1);
        }
        assert_eq!(known.looks.len(), MOST_LOOKS);
        assert_eq!(known.as_of, None);
    }
}
