//! What is on its way to a webhook, and what became of it.

use crate::{
    domain::{
        Result,
        actor::SignedIn,
        error::Fault,
        id::{DeliveryId, EventId, WebhookId},
        page::PageRequest,
        permission::Permission,
        webhook::{Delivery, DeliveryStatus},
    },
    http::{
        collection::{Collection, CollectionResponse, PageFields},
        extract::{Caller, Check, Field, Path, Query},
        links::Links,
    },
    services::{Services, webhook_deliveries::ORDER},
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An event on its way to a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct DeliveryResponse {
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    id: DeliveryId,
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e80")]
    webhook_id: WebhookId,
    /// The event's id, which is the message's `webhook-id`.
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e81")]
    event_id: EventId,
    /// The event's type.
    #[serde(rename = "type")]
    #[schema(max_length = 100, example = "user.created")]
    kind: String,
    /// `pending`, `delivered` or `dead`.
    #[schema(max_length = 20, example = "delivered")]
    status: &'static str,
    /// How often it was tried, the attempt that is under way included.
    #[schema(minimum = 0, example = 1)]
    attempts: u32,
    /// Null once it is settled.
    next_attempt_at: Option<DateTime<Utc>>,
    last_attempt_at: Option<DateTime<Utc>>,
    /// The last answer's status code.
    #[schema(minimum = 100, maximum = 999, example = 200)]
    last_status_code: Option<u16>,
    /// Why the last attempt failed: `status`, `redirect`, `timeout`, `connection`, `tls`, `unknown_host`,
    /// `private_address`; or why there is none any more: `disabled`, `event_gone`.
    #[schema(max_length = 50, example = "timeout")]
    last_fault: Option<String>,
    /// How long the last attempt took, in milliseconds.
    #[schema(minimum = 0, example = 120)]
    last_duration_ms: Option<u64>,
    created_at: DateTime<Utc>,
    #[serde(rename = "_links")]
    links: Links,
}

impl From<Delivery> for DeliveryResponse {
    fn from(delivery: Delivery) -> Self {
        let webhook = format!("/api/v1/webhooks/{}", delivery.webhook);
        let duration = delivery.last_duration;
        let duration = duration.and_then(|time| u64::try_from(time.as_millis()).ok());
        Self {
            id: delivery.id,
            webhook_id: delivery.webhook,
            event_id: delivery.event,
            kind: delivery.kind,
            status: delivery.status.as_str(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at,
            last_attempt_at: delivery.last_attempt_at,
            last_status_code: delivery.last_answer,
            last_fault: delivery.last_fault,
            last_duration_ms: duration,
            created_at: delivery.created_at,
            links: Links::new()
                .to(
                    "replay",
                    format!("{webhook}/deliveries/{}/replay", delivery.id),
                )
                .to("webhook", webhook),
        }
    }
}

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    /// `pending`, `delivered` or `dead`.
    #[param(value_type = Option<String>, max_length = 20, pattern = "^(pending|delivered|dead)$", example = "dead")]
    #[serde(default)]
    status: Field<String>,
    /// How many deliveries a page has: 1 to 100.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100, default = 20, example = 20)]
    #[serde(default)]
    limit: Field<String>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, max_length = 1000)]
    #[serde(default)]
    cursor: Field<String>,
}

impl DeliveriesQuery {
    fn check(self) -> Result<(Option<DeliveryStatus>, PageRequest)> {
        let mut check = Check::new();
        let status = check.optional_text("status", self.status, |text| {
            let unknown = Fault::new("unknown_value", "This is pending, delivered or dead.");
            DeliveryStatus::read(text).ok_or(unknown)
        });
        let page = PageFields {
            limit: self.limit,
            cursor: self.cursor,
            include: Field::Absent,
        };
        let page = page.check(&mut check, ORDER);
        check.done((status, page))
    }
}

/// List a webhook's deliveries
///
/// Newest first. Settled ones are forgotten after a while (`WEBHOOK_DELIVERIES_RETENTION_DAYS`).
#[utoipa::path(
    get, path = "/{id}/deliveries", tag = "Webhooks", operation_id = "list_webhook_deliveries", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The webhook's id"), DeliveriesQuery),
    responses(
        (status = 200, description = "The deliveries", body = CollectionResponse<DeliveryResponse>),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn list_webhook_deliveries(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    whose: (SignedIn, Path<WebhookId>),
    Query(query): Query<DeliveriesQuery>,
) -> Result<Collection<DeliveryResponse>> {
    let (who, Path(id)) = whose;
    who.must(Permission::ManageWebhooks)?;
    let (status, request) = query.check()?;
    let page = services.list_webhook_deliveries(&who, id, status, &request);
    let page = page.await?.map(DeliveryResponse::from);
    Ok(Collection::of(page, &uri))
}

/// Send an event to a webhook again
///
/// At once, and with all attempts before it, whatever became of it; the message has the same `webhook-id` as before.
#[utoipa::path(
    post, path = "/{id}/deliveries/{delivery}/replay", tag = "Webhooks", operation_id = "replay_webhook_delivery",
    security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The webhook's id"),
        ("delivery" = Uuid, Path, description = "The delivery's id"),
    ),
    responses(
        (status = 202, description = "The delivery, which is due now", body = DeliveryResponse),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 409, description = "`conflict`: the webhook is switched off"),
    )
)]
pub async fn replay_webhook_delivery(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Path(which): Path<(WebhookId, DeliveryId)>,
) -> Result<(StatusCode, Json<DeliveryResponse>)> {
    let replayed = services
        .replay_webhook_delivery(&who, which, &client)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(replayed.into())))
}
