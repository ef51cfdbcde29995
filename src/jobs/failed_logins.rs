//! Puts refused sign-ins on record: at once after one here, and each few seconds for those of other nodes and those that are due
//! again. Who stops leaves none behind.

use crate::services::Services;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(2);

/// Runs until told to stop, and until nothing is left.
pub async fn run(services: Services, stop: CancellationToken) {
    loop {
        match services.record_failed_logins().await {
            Ok(0) if stop.is_cancelled() => return,
            Ok(0) => {
                let waited = services.wait_for_failed_login(BEAT);
                tokio::select! { () = waited => {}, () = stop.cancelled() => {} }
            }
            Ok(_) => {}
            Err(error) => {
                super::rest_after("failed_logins", &error, &stop).await;
                if stop.is_cancelled() {
                    return;
                }
            }
        }
    }
}
