//! Gives committed events their positions, soon after a commit here and each second for those of other nodes; of several
//! nodes one is at it.

use crate::services::Services;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(1);
/// Commits that follow each other closely share a round, for each round is a transaction of its own.
const GATHER: Duration = Duration::from_millis(50);

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match services.place_events().await {
            Ok(0) => {
                let pause = async {
                    services.wait_for_event(BEAT).await;
                    tokio::time::sleep(GATHER).await;
                };
                tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
            }
            Ok(_) => {}
            Err(error) => super::rest_after("placer", &error, &stop).await,
        }
    }
}
