//! Looks into the mails that were asked for and sends those of the outbox: at once after a commit that queued one here, and each
//! few seconds for those of other nodes and those that are due again.

use crate::{domain::Result, services::Services};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(2);

/// Runs until told to stop.
pub async fn run(services: Services, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match round(&services).await {
            Ok(0) => {
                let waited = services.wait_for_mail(BEAT);
                tokio::select! { () = waited => {}, () = stop.cancelled() => {} }
            }
            Ok(_) => {}
            Err(error) => super::rest_after("courier", &error, &stop).await,
        }
    }
    if let Err(error) = finish(&services).await {
        super::rest_after("courier", &error, &stop).await;
    }
}

async fn round(services: &Services) -> Result<usize> {
    let answered = services.answer_mail_requests().await?;
    Ok(answered + services.send_due_mails().await?)
}

/// Whoever asked before the end has a mail in the outbox; any node or the next start sends it.
async fn finish(services: &Services) -> Result<()> {
    while services.answer_mail_requests().await? > 0 {}
    Ok(())
}
