//! What is sealed of a webhook, and what its use cases share.

use super::{Endpoint, StoredWebhook, WebhookView};
use crate::{
    domain::{
        Error, Result, Timestamp,
        actor::SignedIn,
        audit::{AuditEntry, Outcome},
        client::Client,
        id::WebhookId,
        secret::Sealed,
        webhook,
        webhook_secret::WebhookSecret,
    },
    services::{
        Services,
        personal_data::{field, open_text},
    },
};
use serde_json::json;

impl Services {
    /// Refuses an address whose name stands for one of a private network at present.
    pub(super) async fn must_lead_outside(&self, endpoint: &Endpoint) -> Result<()> {
        if self.outbound.leads_inside(endpoint.url()).await {
            return Err(Error::Invalid(vec![webhook::PRIVATE.of("url")]));
        }
        Ok(())
    }

    pub(super) fn view(&self, stored: StoredWebhook) -> Result<WebhookView> {
        Ok(WebhookView {
            endpoint: self.open_endpoint(&stored)?,
            webhook: stored.webhook,
            secret: None,
        })
    }

    /// Where its events go.
    pub(in crate::services) fn open_endpoint(&self, stored: &StoredWebhook) -> Result<Endpoint> {
        let url = open_text(self.service_key(), field::WEBHOOK_URL, &stored.url)?;
        Endpoint::read(&url)
            .ok_or_else(|| Error::internal(anyhow::anyhow!("a webhook leads nowhere")))
    }

    pub(super) fn seal_endpoint(&self, endpoint: &Endpoint) -> Result<Sealed> {
        self.seal(
            self.service_key(),
            field::WEBHOOK_URL,
            endpoint.url().as_str(),
        )
    }

    pub(super) fn seal_webhook_secret(&self, secret: &WebhookSecret) -> Result<Sealed> {
        let key = self.service_key();
        key.seal(field::WEBHOOK_SECRET, secret.bytes(), &self.entropy)
    }

    /// The secrets that sign at this time, the newest first.
    pub(in crate::services) fn open_webhook_secrets(
        &self,
        stored: &StoredWebhook,
        now: Timestamp,
    ) -> Result<Vec<WebhookSecret>> {
        let still = stored.webhook.previous_secret_until;
        let previous = stored.previous_secret.as_ref();
        let previous = previous.filter(|_| still.is_some_and(|until| until > now));
        let sealed = std::iter::once(&stored.secret).chain(previous);
        sealed
            .map(|sealed| {
                let bytes = self.service_key().open(field::WEBHOOK_SECRET, sealed)?;
                let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(Error::internal)?;
                Ok(WebhookSecret::from_random(bytes))
            })
            .collect()
    }

    /// Leaves an entry of a refusal by state or version.
    pub(in crate::services) async fn trace_webhook<T>(
        &self,
        outcome: Result<T>,
        (action, who, id): (&'static str, &SignedIn, Option<WebhookId>),
        client: &Client,
    ) -> Result<T> {
        if let Err(why @ (Error::Conflict(_) | Error::Stale | Error::Forbidden(_))) = &outcome {
            let entry = AuditEntry::refusal(action, Outcome::Refused, why.code(), client);
            let details = json!({ "code": why.code(), "webhook_id": id });
            self.audit_alone(entry.by(who.actor()).with(details))
                .await?;
        }
        outcome
    }
}

/// An entry about a webhook, which is nobody.
pub(in crate::services) fn entry<'a>(
    action: &'static str,
    who: &SignedIn,
    client: &'a Client,
) -> AuditEntry<'a> {
    let mut entry = AuditEntry::success(action, who.actor(), client);
    entry.subject = None;
    entry
}
