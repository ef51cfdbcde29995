//! Delivers events to webhooks: at once after some were queued here, and each second for those of other nodes and those that
//! are due again. What is under way at the end is waited for.

use crate::services::{Services, webhook_delivery::Deliveries};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(1);

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    let mut deliveries = Deliveries::default();
    while !stop.is_cancelled() {
        match services.start_deliveries(&mut deliveries).await {
            Ok(0) => tokio::select! {
                () = services.wait_for_delivery(BEAT) => {}
                true = deliveries.one_ended() => {}
                () = stop.cancelled() => {}
            },
            Ok(_) => {}
            Err(error) => super::rest_after("dispatcher", &error, &stop).await,
        }
    }
    while deliveries.one_ended().await {}
}
