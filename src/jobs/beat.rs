//! What is gathered in memory and written at intervals: last-seen times, counted refusals, gauges; and signing keys
//! that another node may have rotated. Writes once more when told to stop.

use crate::{domain::Result, services::Services};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(30);

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    loop {
        let pause = tokio::time::sleep(BEAT);
        tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
        if let Err(error) = round(&services).await {
            super::rest_after("beat", &error, &stop).await;
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

async fn round(services: &Services) -> Result<()> {
    services.flush_seen().await?;
    services.flush_refusals().await?;
    services.load_signing_keys().await?;
    services.observe().await
}
