//! Webhooks: who is told of which events. Address and secrets are sealed under the service's own key; a secret is shown
//! to the one who makes it and never again.

mod sealed;

use super::{Services, after};
use crate::{
    domain::{
        Error, Result,
        actor::SignedIn,
        change::Expected,
        client::Client,
        error::Clash,
        id::WebhookId,
        page::{Page, PageRequest},
        permission::Permission,
        webhook::{DisabledReason, Endpoint, EventFilter, SECRET_OVERLAP, Webhook, WebhookChanges},
        webhook_secret::WebhookSecret,
    },
    storage::{
        Store, webhook_deliveries,
        webhooks::{self, StoredWebhook},
    },
};
pub(super) use sealed::entry;
use serde_json::json;

/// The only order of the list: oldest first.
pub const ORDER: &str = "created_at";
const CREATE: &str = "create_webhook";
const UPDATE: &str = "update_webhook";
const DELETE: &str = "delete_webhook";
const ROTATE: &str = "rotate_webhook_secret";

/// What is written to a delivery that waited when its webhook was switched off.
pub(super) const SWITCHED_OFF: &str = "disabled";

/// A webhook as admins see it.
pub struct WebhookView {
    pub webhook: Webhook,
    pub endpoint: Endpoint,
    /// Only right after it was made.
    pub secret: Option<WebhookSecret>,
}

/// A webhook to be made.
pub struct NewWebhook {
    pub endpoint: Endpoint,
    pub events: EventFilter,
    pub description: Option<String>,
}

impl Services {
    /// Whether webhooks may lead into private networks and use clear text.
    pub fn allows_private_webhooks(&self) -> bool {
        self.outbound.allows_private()
    }

    /// A page of the webhooks, oldest first.
    pub async fn list_webhooks(
        &self,
        who: &SignedIn,
        request: &PageRequest,
    ) -> Result<Page<WebhookView>> {
        who.must(Permission::ManageWebhooks)?;
        let beside = request.cursor.as_ref();
        let beside = beside.map(|cursor| (WebhookId(cursor.id), cursor.is_backward));
        let rows = request.rows();
        let rows = webhooks::list_webhooks(self.store.reader(), beside, rows).await?;
        let views: Result<Vec<_>> = rows.into_iter().map(|stored| self.view(stored)).collect();
        Ok(Page::cut(views?, request, ORDER, |view| {
            (None, view.webhook.id.0)
        }))
    }

    /// One webhook.
    pub async fn get_webhook(&self, who: &SignedIn, id: WebhookId) -> Result<WebhookView> {
        who.must(Permission::ManageWebhooks)?;
        let found = webhooks::find_webhook(self.store.reader(), id).await?;
        self.view(found.ok_or(Error::NotFound("webhook"))?)
    }

    /// Makes a webhook, which is told of events from now on.
    pub async fn create_webhook(
        &self,
        who: &SignedIn,
        new: NewWebhook,
        client: &Client,
    ) -> Result<WebhookView> {
        who.must(Permission::ManageWebhooks)?;
        self.must_lead_outside(&new.endpoint).await?;
        let secret = WebhookSecret::from_random(self.entropy.bytes());
        let (id, now) = (self.new_id(), self.now());
        let stored = StoredWebhook {
            webhook: Webhook {
                id,
                events: new.events,
                description: new.description,
                disabled: None,
                failing_since: None,
                previous_secret_until: None,
                version: 1,
                created_at: now,
                updated_at: now,
            },
            url: self.seal_endpoint(&new.endpoint)?,
            secret: self.seal_webhook_secret(&secret)?,
            previous_secret: None,
        };
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, who.into()).await?;
        if !webhooks::insert_webhook(&tx, &stored).await? {
            drop(tx);
            let full = Err(Clash::WebhookLimit.into());
            return self.trace_webhook(full, (CREATE, who, None), client).await;
        }
        let details = json!({ "webhook_id": id, "events": stored.webhook.events.names() });
        self.audit(&tx, entry(CREATE, who, client).with(details))
            .await?;
        Store::commit(tx).await?;
        Ok(WebhookView {
            webhook: stored.webhook,
            endpoint: new.endpoint,
            secret: Some(secret),
        })
    }

    /// Changes a webhook. Switched off, it is told of nothing, and what waited for it is given up.
    pub async fn update_webhook(
        &self,
        who: &SignedIn,
        (id, changes): (WebhookId, WebhookChanges),
        expected: &Expected,
        client: &Client,
    ) -> Result<WebhookView> {
        let done = self
            .apply_changes(who, (id, changes), expected, client)
            .await;
        self.trace_webhook(done, (UPDATE, who, Some(id)), client)
            .await
    }

    async fn apply_changes(
        &self,
        who: &SignedIn,
        (id, changes): (WebhookId, WebhookChanges),
        expected: &Expected,
        client: &Client,
    ) -> Result<WebhookView> {
        who.must(Permission::ManageWebhooks)?;
        if let Some(endpoint) = &changes.endpoint {
            self.must_lead_outside(endpoint).await?;
        }
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, who.into()).await?;
        let mut stored = webhooks::lock_webhook(&tx, id).await?;
        expected.must_be(stored.webhook.version)?;
        let fields = self.apply_fields(&mut stored, changes)?;
        if !fields.is_empty() {
            if stored.webhook.disabled.is_some() {
                webhook_deliveries::give_up_pending(&tx, id, SWITCHED_OFF).await?;
            }
            webhooks::update_webhook(&tx, &mut stored, self.now()).await?;
            let details = json!({ "webhook_id": id, "fields": fields });
            self.audit(&tx, entry(UPDATE, who, client).with(details))
                .await?;
        }
        Store::commit(tx).await?;
        self.view(stored)
    }

    /// Names of the fields that are now different.
    fn apply_fields(
        &self,
        stored: &mut StoredWebhook,
        changes: WebhookChanges,
    ) -> Result<Vec<&'static str>> {
        let mut fields = Vec::new();
        if let Some(endpoint) = changes.endpoint
            && endpoint != self.open_endpoint(stored)?
        {
            stored.url = self.seal_endpoint(&endpoint)?;
            fields.push("url");
        }
        let webhook = &mut stored.webhook;
        if let Some(events) = changes.events
            && events != webhook.events
        {
            webhook.events = events;
            fields.push("events");
        }
        let before = webhook.description.clone();
        changes.description.apply(&mut webhook.description);
        if webhook.description != before {
            fields.push("description");
        }
        match changes.enabled {
            Some(true) if webhook.disabled.is_some() => {
                (webhook.disabled, webhook.failing_since) = (None, None);
                fields.push("enabled");
            }
            Some(false) if webhook.disabled.is_none() => {
                webhook.disabled = Some((self.now(), DisabledReason::ByAdmin));
                fields.push("enabled");
            }
            _ => {}
        }
        Ok(fields)
    }

    /// Deletes a webhook and all that was on its way to it.
    pub async fn delete_webhook(
        &self,
        who: &SignedIn,
        id: WebhookId,
        expected: &Expected,
        client: &Client,
    ) -> Result<()> {
        let deleted = self.apply_deletion(who, id, expected, client).await;
        self.trace_webhook(deleted, (DELETE, who, Some(id)), client)
            .await
    }

    async fn apply_deletion(
        &self,
        who: &SignedIn,
        id: WebhookId,
        expected: &Expected,
        client: &Client,
    ) -> Result<()> {
        who.must(Permission::ManageWebhooks)?;
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, who.into()).await?;
        let stored = webhooks::lock_webhook(&tx, id).await?;
        expected.must_be(stored.webhook.version)?;
        webhooks::delete_webhook(&tx, id).await?;
        let details = json!({ "webhook_id": id });
        self.audit(&tx, entry(DELETE, who, client).with(details))
            .await?;
        Store::commit(tx).await
    }

    /// Gives a webhook a new secret; for a day the one before signs as well.
    pub async fn rotate_webhook_secret(
        &self,
        who: &SignedIn,
        id: WebhookId,
        expected: &Expected,
        client: &Client,
    ) -> Result<WebhookView> {
        let rotated = self.apply_rotation(who, id, expected, client).await;
        self.trace_webhook(rotated, (ROTATE, who, Some(id)), client)
            .await
    }

    async fn apply_rotation(
        &self,
        who: &SignedIn,
        id: WebhookId,
        expected: &Expected,
        client: &Client,
    ) -> Result<WebhookView> {
        who.must(Permission::ManageWebhooks)?;
        let secret = WebhookSecret::from_random(self.entropy.bytes());
        let sealed = self.seal_webhook_secret(&secret)?;
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, who.into()).await?;
        let mut stored = webhooks::lock_webhook(&tx, id).await?;
        expected.must_be(stored.webhook.version)?;
        let now = self.now();
        stored.previous_secret = Some(std::mem::replace(&mut stored.secret, sealed));
        stored.webhook.previous_secret_until = Some(after(now, SECRET_OVERLAP));
        webhooks::update_webhook(&tx, &mut stored, now).await?;
        let details = json!({ "webhook_id": id });
        self.audit(&tx, entry(ROTATE, who, client).with(details))
            .await?;
        Store::commit(tx).await?;
        let view = self.view(stored)?;
        Ok(WebhookView {
            secret: Some(secret),
            ..view
        })
    }
}
