//! What is gathered in memory and written at intervals: last-seen times, looks at profiles, counted refusals, gauges; and signing keys
//! that another node may have rotated. Writes once more when told to stop.

use crate::{domain::Result, services::Services};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(30);
/// A flood of refused attempts is one row a minute.
const REFUSALS_EACH: u32 = 2;

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    // The gauges are there from the start on.
    if let Err(error) = services.observe().await {
        super::rest_after("beat", &error, &stop).await;
    }
    for number in 1_u32.. {
        let pause = tokio::time::sleep(BEAT);
        tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
        let with_refusals = number.is_multiple_of(REFUSALS_EACH) || stop.is_cancelled();
        if let Err(error) = round(&services, with_refusals).await {
            super::rest_after("beat", &error, &stop).await;
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

async fn round(services: &Services, with_refusals: bool) -> Result<()> {
    services.flush_seen().await?;
    services.flush_profile_views().await?;
    if with_refusals {
        services.flush_refusals().await?;
    }
    services.load_signing_keys().await?;
    services.observe().await
}
