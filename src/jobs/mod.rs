//! Floor 3, the clock as a front door: what happens without anybody asking. Each job is a loop that calls a use case,
//! outlives its errors and panics, and stops when told.

mod beat;
mod courier;
mod sweeper;

use crate::services::Services;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The running jobs.
pub struct Jobs {
    stop: CancellationToken,
    running: JoinSet<()>,
}

impl Jobs {
    /// Starts all jobs.
    pub fn start(services: &Services) -> Self {
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(courier::run(services.clone(), stop.clone()));
        running.spawn(sweeper::run(services.clone(), stop.clone()));
        running.spawn(beat::run(services.clone(), stop.clone()));
        Self { stop, running }
    }

    /// Lets each job finish what it is at, and waits for it.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.running.join_next().await.is_some() {}
    }
}

/// Logs a failed round with what was being done, and waits a little so that trouble does not become a busy loop.
async fn rest_after(what: &str, error: &crate::domain::Error, stop: &CancellationToken) {
    tracing::warn!(job = what, error = ?error, "a round of a job failed; it will be tried again");
    metrics::counter!("usher_job_failures_total", "job" => what.to_owned()).increment(1);
    let pause = tokio::time::sleep(std::time::Duration::from_secs(1));
    tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
}
