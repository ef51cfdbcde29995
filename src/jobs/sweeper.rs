//! Forgets expired rows, of the audit trail too, in bounded batches, and renews signing keys that have reached their age.

use crate::{domain::Result, services::Services};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_mins(10);

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = round(&services, &stop).await {
            super::rest_after("sweeper", &error, &stop).await;
        }
        let pause = tokio::time::sleep(BEAT);
        tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
    }
}

async fn round(services: &Services, stop: &CancellationToken) -> Result<()> {
    while services.sweep().await? && !stop.is_cancelled() {}
    while services.sweep_events().await? && !stop.is_cancelled() {}
    while services.sweep_audit_log().await? && !stop.is_cancelled() {}
    services.rotate_aged_signing_keys().await
}
