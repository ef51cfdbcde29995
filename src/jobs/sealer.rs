//! Seals the audit trail each second; of several nodes one is at it.

use crate::services::Services;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(1);

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match services.seal_audit_log().await {
            Ok(0) => {
                let pause = tokio::time::sleep(BEAT);
                tokio::select! { () = pause => {}, () = stop.cancelled() => {} }
            }
            Ok(_) => {}
            Err(error) => super::rest_after("sealer", &error, &stop).await,
        }
    }
}
