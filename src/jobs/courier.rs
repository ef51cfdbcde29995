//! Sends the mails of the outbox: at once after a commit that queued one here, and each few seconds for those of other
//! nodes and those that are due again.

use crate::services::Services;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(2);

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match services.send_due_mails().await {
            Ok(0) => {
                let waited = services.wait_for_mail(BEAT);
                tokio::select! { () = waited => {}, () = stop.cancelled() => {} }
            }
            Ok(_) => {}
            Err(error) => super::rest_after("courier", &error, &stop).await,
        }
    }
}
