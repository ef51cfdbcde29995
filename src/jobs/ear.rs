//! Hears other nodes through PostgreSQL and Redis, and connects anew whenever a connection is lost.

use crate::services::Services;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two connections.
const PAUSE: Duration = Duration::from_millis(250);

/// Hears PostgreSQL until told to stop.
pub async fn hear_postgres(services: Services, stop: CancellationToken) {
    let hearing = async {
        loop {
            if let Err(error) = services.hear_postgres().await {
                tracing::debug!(?error, "the database cannot be listened to");
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! { () = hearing => {}, () = stop.cancelled() => {} }
}

/// Hears Redis until told to stop.
pub async fn hear_redis(services: Services, stop: CancellationToken) {
    let hearing = async {
        loop {
            services.hear_redis().await;
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! { () = hearing => {}, () = stop.cancelled() => {} }
}

/// Keeps the connection to Redis until told to stop.
pub async fn beat_on_redis(services: Services, stop: CancellationToken) {
    tokio::select! { () = services.beat_on_redis() => {}, () = stop.cancelled() => {} }
}
