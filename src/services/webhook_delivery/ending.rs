//! How an attempt ends: noted, tried again after a pause, or given up. An endpoint that is gone, or has failed for three
//! days, is switched off, and the admins are told.

use crate::{
    domain::{
        Result, Timestamp,
        actor::Actor,
        audit::{AuditEntry, Outcome},
        client::Client,
        id::UserId,
        mail::Mail,
        permission::Role,
        webhook::{Attempt, DisabledReason, Endpoint, pause_after},
    },
    services::{Services, after, webhooks::SWITCHED_OFF},
    storage::{
        Store, Tx, roles, users,
        webhook_deliveries::{self, Claim},
        webhooks::{self, StoredWebhook},
    },
};
use serde_json::json;

const DISABLE: &str = "disable_webhook";
/// 410: whoever answers so never wants to be asked again.
const GONE: u16 = 410;

impl Services {
    /// Notes how an attempt ended.
    pub(super) async fn settle_delivery(
        &self,
        claim: &Claim,
        stored: &StoredWebhook,
        attempt: Attempt,
    ) -> Result<()> {
        metrics::histogram!("usher_webhook_delivery_seconds").record(attempt.duration);
        let Some(fault) = attempt.fault else {
            count("delivered");
            let tx = self.store.begin().await?;
            webhooks::note_success(&tx, claim.webhook).await?;
            webhook_deliveries::mark_delivered(&tx, claim, attempt).await?;
            return Store::commit(tx).await;
        };
        let next = self.next_delivery(claim.attempts);
        count(if next.is_some() { "delayed" } else { "dead" });
        tracing::info!(
            webhook_id = %claim.webhook, delivery_id = %claim.id, attempts = claim.attempts, fault,
            answer = attempt.answer, "a delivery failed"
        );
        let why = reason(stored, attempt, self.now());
        if let Some(why) = why
            && self.disable_webhook(claim, attempt, why).await?
        {
            return Ok(());
        }
        let tx = self.store.begin().await?;
        webhooks::note_failure(&tx, claim.webhook, self.now()).await?;
        webhook_deliveries::mark_failed(&tx, claim, attempt, next).await?;
        Store::commit(tx).await
    }

    /// After the pause for so many attempts, spread by up to a tenth.
    fn next_delivery(&self, attempts: u32) -> Option<Timestamp> {
        let pause = pause_after(attempts)?;
        let [spread] = self.entropy.bytes::<1>();
        let more = pause.mul_f64(f64::from(spread) / 255.0 * 0.1);
        Some(after(self.now(), pause + more))
    }

    /// Switches a webhook off; false if there is no reason any more, or it is off already.
    async fn disable_webhook(
        &self,
        claim: &Claim,
        attempt: Attempt,
        why: DisabledReason,
    ) -> Result<bool> {
        let tx = self.store.begin().await?;
        let admins = roles::lock_active_holders(&tx, Role::Admin).await?;
        let mut stored = webhooks::lock_webhook(&tx, claim.webhook).await?;
        let now = self.now();
        if stored.webhook.disabled.is_some() || reason(&stored, attempt, now).is_none() {
            return Ok(false);
        }
        webhook_deliveries::mark_failed(&tx, claim, attempt, None).await?;
        let given_up =
            webhook_deliveries::give_up_pending(&tx, claim.webhook, SWITCHED_OFF).await?;
        stored.webhook.disabled = Some((now, why));
        webhooks::update_webhook(&tx, &mut stored, now).await?;
        let client = Client::local(claim.id.to_string());
        let code = format!("endpoint_{}", why.as_str());
        let mut entry = AuditEntry::refusal(DISABLE, Outcome::Success, &code, &client);
        entry = entry.by(Actor::System);
        let details =
            json!({ "code": code, "webhook_id": claim.webhook, "deliveries_given_up": given_up });
        self.audit(&tx, entry.with(details)).await?;
        let endpoint = self.open_endpoint(&stored)?;
        self.tell_admins(&tx, &admins, (&stored, &endpoint, why), &client)
            .await?;
        self.commit(tx).await?;
        metrics::counter!("usher_webhooks_disabled_total").increment(1);
        tracing::warn!(webhook_id = %claim.webhook, reason = why.as_str(), "a webhook was switched off");
        Ok(true)
    }

    async fn tell_admins(
        &self,
        tx: &Tx,
        admins: &[UserId],
        (stored, endpoint, why): (&StoredWebhook, &Endpoint, DisabledReason),
        client: &Client,
    ) -> Result<()> {
        let mail = Mail::WebhookDisabled {
            at: self.now(),
            id: stored.webhook.id,
            host: endpoint.host().to_owned(),
            why,
        };
        for id in admins {
            let Some(found) = users::find_user(tx, *id).await? else {
                continue;
            };
            let admin = self.open_user(tx, found).await?;
            self.queue_mail(tx, (&admin, &admin.email), &mail, client)
                .await?;
        }
        Ok(())
    }
}

/// Why a webhook is to be switched off after this attempt, if it is.
fn reason(stored: &StoredWebhook, attempt: Attempt, now: Timestamp) -> Option<DisabledReason> {
    if attempt.answer == Some(GONE) {
        return Some(DisabledReason::Gone);
    }
    let is_failing = stored.webhook.has_failed_long_enough(now);
    is_failing.then_some(DisabledReason::Failing)
}

fn count(outcome: &'static str) {
    metrics::counter!("usher_webhook_deliveries_total", "outcome" => outcome).increment(1);
}
