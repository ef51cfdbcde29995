//! Floor 3, the clock as a front door: what happens without anybody asking. Each job is a loop that calls a use case,
//! outlives its errors and panics, and stops when told.

mod beat;
mod courier;
mod dispatcher;
mod ear;
mod failed_logins;
mod placer;
mod relay;
mod replica;
mod sealer;
mod sweeper;

use crate::{domain::Error, services::Services};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// After trouble a job rests for so long, so that trouble does not become a busy loop.
const REST: Duration = Duration::from_secs(1);

/// The running jobs.
pub struct Jobs {
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Jobs {
    /// Starts all jobs.
    pub fn start(services: &Services) -> Self {
        let mut jobs = Self {
            stop: CancellationToken::new(),
            running: JoinSet::new(),
        };
        jobs.supervise("courier", services, courier::run);
        jobs.supervise("placer", services, placer::run);
        jobs.supervise("failed_logins", services, failed_logins::run);
        jobs.supervise("dispatcher", services, dispatcher::run);
        if services.delivers_events() {
            jobs.supervise("relay", services, relay::run);
        }
        jobs.supervise("sealer", services, sealer::run);
        jobs.supervise("sweeper", services, sweeper::run);
        jobs.supervise("beat", services, beat::run);
        jobs.supervise("replica", services, replica::run);
        jobs
    }

    /// Starts what must run from the first request on: without it every check of a token asks the database.
    pub fn start_ears(services: &Services) -> Self {
        let mut jobs = Self {
            stop: CancellationToken::new(),
            running: JoinSet::new(),
        };
        if services.is_on_postgres() {
            jobs.supervise("ear", services, ear::hear_postgres);
        }
        if services.is_on_redis() {
            jobs.supervise("redis ear", services, ear::hear_redis);
            jobs.supervise("redis beat", services, ear::beat_on_redis);
        }
        jobs
    }

    /// Runs a job until told to stop, and starts it again when it panics.
    fn supervise<S, F, R>(&mut self, name: &'static str, services: &S, run: F)
    where
        S: Clone + Send + 'static,
        F: Fn(S, CancellationToken) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let (services, stop) = (services.clone(), self.stop.clone());
        self.running.spawn(async move {
            while let Err(died) = tokio::spawn(run(services.clone(), stop.clone())).await {
                tracing::error!(
                    job = name,
                    panicked = died.is_panic(),
                    "a job died and is started again"
                );
                metrics::counter!("usher_job_failures_total", "job" => name).increment(1);
                rest(&stop).await;
                if stop.is_cancelled() {
                    return;
                }
            }
        });
    }

    /// Lets each job finish what it is at, and waits for it.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.running.join_next().await.is_some() {}
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Logs a failed round, counts it, and rests.
async fn rest_after(name: &'static str, error: &Error, stop: &CancellationToken) {
    tracing::warn!(job = name, error = ?error, "a round of a job failed; it will be tried again");
    metrics::counter!("usher_job_failures_total", "job" => name).increment(1);
    rest(stop).await;
}

async fn rest(stop: &CancellationToken) {
    let pause = tokio::time::sleep(REST);
    tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    #[tokio::test(start_paused = true)]
    async fn a_job_that_panics_is_started_again() {
        let runs = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&runs);
        let mut jobs = Jobs {
            stop: CancellationToken::new(),
            running: JoinSet::new(),
        };
        jobs.supervise("test", &(), move |(), stop: CancellationToken| {
            let counted = Arc::clone(&counted);
            async move {
                assert!(counted.fetch_add(1, Ordering::SeqCst) >= 2, "fails twice");
                stop.cancelled().await;
            }
        });
        while runs.load(Ordering::SeqCst) < 3 {
            tokio::time::advance(REST).await;
            tokio::task::yield_now().await;
        }
        jobs.stop().await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
    }
}
