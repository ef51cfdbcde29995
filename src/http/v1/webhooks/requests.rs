//! What is asked for of a webhook.

use crate::{
    domain::{
        Result,
        error::Violation,
        text::line,
        webhook::{Endpoint, EventFilter, WebhookChanges},
    },
    http::extract::{Check, Field},
    services::webhooks::NewWebhook,
};
use serde::Deserialize;
use utoipa::ToSchema;

const MAX_DESCRIPTION: usize = 200;

/// A new webhook.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "url": "https://hooks.example.com/usher", "events": ["user.created", "user.deleted"], "description": "Billing" }))]
pub struct CreateWebhookRequest {
    /// `https`, and a host of the public internet, unless the service is set up to allow others.
    #[schema(value_type = String, required = true, format = "uri", max_length = 2000)]
    #[serde(default)]
    url: Field<String>,
    /// Types of events, or `*` for all.
    #[schema(value_type = Vec<String>, required = true, min_items = 1, max_items = 50)]
    #[serde(default)]
    events: Field<Vec<String>>,
    /// For people.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[serde(default)]
    description: Field<String>,
}

/// A change of a webhook: a field that is left out stays; only the description may be `null`.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({ "events": ["*"], "enabled": true }))]
pub struct UpdateWebhookRequest {
    /// As when it is made.
    #[schema(value_type = Option<String>, format = "uri", max_length = 2000, nullable = false)]
    #[serde(default)]
    url: Field<String>,
    /// Types of events, or `*` for all.
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 50, nullable = false)]
    #[serde(default)]
    events: Field<Vec<String>>,
    /// For people.
    #[schema(value_type = Option<String>, max_length = 200)]
    #[serde(default)]
    description: Field<String>,
    /// Whether events are sent.
    #[schema(value_type = Option<bool>, nullable = false)]
    #[serde(default)]
    enabled: Field<bool>,
}

impl CreateWebhookRequest {
    pub(super) fn parse(self, allow_private: bool) -> Result<NewWebhook> {
        let mut check = Check::new();
        let endpoint = check.text("url", self.url, |text| Endpoint::parse(text, allow_private));
        let events = check.required("events", self.events, |names| EventFilter::parse(&names));
        let description = check.optional_text("description", self.description, |text| {
            line(MAX_DESCRIPTION, text)
        });
        let (endpoint, events, description) = check.done((endpoint, events, description))?;
        Ok(NewWebhook {
            endpoint,
            events,
            description,
        })
    }
}

impl UpdateWebhookRequest {
    pub(super) fn parse(self, allow_private: bool) -> Result<WebhookChanges> {
        let mut check = Check::new();
        for (field, is_null) in [
            ("url", matches!(self.url, Field::Null)),
            ("events", matches!(self.events, Field::Null)),
            ("enabled", matches!(self.enabled, Field::Null)),
        ] {
            check.report(is_null.then(|| Violation::required(field)));
        }
        let url = |text: &str| Endpoint::parse(text, allow_private);
        let endpoint = check.optional_text("url", self.url, url);
        let events = check.optional("events", self.events, |names| EventFilter::parse(&names));
        let description = check.text_change("description", self.description, |text| {
            line(MAX_DESCRIPTION, text)
        });
        let enabled = check.optional("enabled", self.enabled, Ok);
        let fields = (endpoint, events, description, enabled);
        let (endpoint, events, description, enabled) = check.done(fields)?;
        Ok(WebhookChanges {
            endpoint,
            events,
            description,
            enabled,
        })
    }
}
