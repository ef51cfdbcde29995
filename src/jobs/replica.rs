//! Looks twice a second at how far the copy that lists are read from has come.

use crate::services::Services;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_millis(500);

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    while services.has_replica() && !stop.is_cancelled() {
        services.watch_replica().await;
        let pause = tokio::time::sleep(BEAT);
        tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
    }
}
