//! Webhooks: who is told of which events. Who asks is looked at before what is asked for.

mod requests;

pub use requests::{CreateWebhookRequest, UpdateWebhookRequest};

use crate::{
    domain::{Result, actor::SignedIn, id::WebhookId, permission::Permission},
    http::{
        collection::{Collection, CollectionResponse, PageQuery},
        extract::{Caller, IfMatch, Json, Path, Query},
        links::Links,
        versioned::Versioned,
    },
    services::{
        Services,
        webhooks::{ORDER, WebhookView},
    },
};
use axum::{
    extract::{OriginalUri, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookResponse {
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    id: WebhookId,
    #[schema(
        format = "uri",
        max_length = 2000,
        example = "https://hooks.example.com/usher"
    )]
    url: String,
    /// Types of events, or `*` for all.
    #[schema(max_items = 50, value_type = Vec<String>, example = json!(["user.created", "user.deleted"]))]
    events: Vec<&'static str>,
    #[schema(max_length = 200, example = "Billing")]
    description: Option<String>,
    /// Whether events are sent.
    #[schema(example = true)]
    enabled: bool,
    disabled_at: Option<DateTime<Utc>>,
    /// `by_admin`, `gone` (it answered 410) or `failing` (nothing but failures for three days).
    #[schema(value_type = Option<String>, max_length = 20, example = "failing")]
    disabled_reason: Option<&'static str>,
    /// Since when nothing but failures came back.
    failing_since: Option<DateTime<Utc>>,
    /// What messages are signed with; only in the answer that makes it, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 50,
        example = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    )]
    secret: Option<String>,
    /// Until when the secret before this one signs as well.
    previous_secret_until: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[schema(minimum = 1, example = 1)]
    version: i64,
    #[serde(rename = "_links")]
    links: Links,
}

impl From<WebhookView> for WebhookResponse {
    fn from(view: WebhookView) -> Self {
        let webhook = view.webhook;
        let here = format!("/api/v1/webhooks/{}", webhook.id);
        let links = Links::new()
            .to("deliveries", format!("{here}/deliveries"))
            .to("rotate_secret", format!("{here}/rotate-secret"))
            .to("update", here.clone())
            .to("delete", here.clone())
            .to("self", here);
        Self {
            id: webhook.id,
            url: view.endpoint.url().to_string(),
            events: webhook.events.names(),
            description: webhook.description,
            enabled: webhook.disabled.is_none(),
            disabled_at: webhook.disabled.map(|(at, _)| at),
            disabled_reason: webhook.disabled.map(|(_, why)| why.as_str()),
            failing_since: webhook.failing_since,
            secret: view.secret.map(|secret| secret.reveal()),
            previous_secret_until: webhook.previous_secret_until,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
            version: webhook.version,
            links,
        }
    }
}

/// The webhook with its version as `ETag`.
fn answer(view: WebhookView) -> Versioned<WebhookResponse> {
    Versioned(view.webhook.version, view.into())
}

/// List the webhooks
///
/// Oldest first; there are at most 50.
#[utoipa::path(
    get, path = "/", tag = "Webhooks", params(PageQuery), operation_id = "list_webhooks", security(("bearerAuth" = [])),
    responses(
        (status = 200, description = "The webhooks", body = CollectionResponse<WebhookResponse>),
        (status = 403, description = "`forbidden`"),
    )
)]
pub async fn list_webhooks(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    who: SignedIn,
    Query(query): Query<PageQuery>,
) -> Result<Collection<WebhookResponse>> {
    who.must(Permission::ManageWebhooks)?;
    let request = query.check(ORDER)?;
    let page = services.list_webhooks(&who, &request).await?;
    Ok(Collection::of(page.map(WebhookResponse::from), &uri))
}

/// Make a webhook
///
/// From now on events are sent there, signed as Standard Webhooks 1.0 says. The secret is in this answer and in no other.
#[utoipa::path(
    post, path = "/", tag = "Webhooks", request_body = CreateWebhookRequest, operation_id = "create_webhook", security(("bearerAuth" = [])),
    responses(
        (status = 201, description = "The new webhook with its secret", body = WebhookResponse, headers(
            ("ETag" = String, description = "The version, for `If-Match`"),
            ("Location" = String, description = "Where the webhook is"),
        )),
        (status = 403, description = "`forbidden`"),
        (status = 409, description = "`webhook_limit`"),
    )
)]
pub async fn create_webhook(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Json(body): Json<CreateWebhookRequest>,
) -> Result<impl IntoResponse> {
    who.must(Permission::ManageWebhooks)?;
    let new = body.parse(services.allows_private_webhooks())?;
    let view = services.create_webhook(&who, new, &client).await?;
    let place = format!("/api/v1/webhooks/{}", view.webhook.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, place)],
        answer(view),
    ))
}

/// Read a webhook
///
/// Without its secret.
#[utoipa::path(
    get, path = "/{id}", tag = "Webhooks", operation_id = "get_webhook", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The webhook's id")),
    responses(
        (status = 200, description = "The webhook", body = WebhookResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn get_webhook(
    State(services): State<Services>,
    who: SignedIn,
    Path(id): Path<WebhookId>,
) -> Result<Versioned<WebhookResponse>> {
    Ok(answer(services.get_webhook(&who, id).await?))
}

/// Change a webhook
///
/// A field that is left out stays. With `enabled: false` nothing is sent any more, and what waited is given up; a webhook
/// that was switched off by failures is switched on again with `enabled: true`.
#[utoipa::path(
    patch, path = "/{id}", tag = "Webhooks", request_body = UpdateWebhookRequest, operation_id = "update_webhook", security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The webhook's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000),
    ),
    responses(
        (status = 200, description = "The webhook as it is now", body = WebhookResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn update_webhook(
    State(services): State<Services>,
    Caller(client): Caller,
    which: (SignedIn, Path<WebhookId>, IfMatch),
    Json(body): Json<UpdateWebhookRequest>,
) -> Result<Versioned<WebhookResponse>> {
    let (who, Path(id), IfMatch(expected)) = which;
    who.must(Permission::ManageWebhooks)?;
    let changes = body.parse(services.allows_private_webhooks())?;
    let view = services
        .update_webhook(&who, (id, changes), &expected, &client)
        .await?;
    Ok(answer(view))
}

/// Delete a webhook
///
/// With everything that is on its way to it, and its list of deliveries.
#[utoipa::path(
    delete, path = "/{id}", tag = "Webhooks", operation_id = "delete_webhook", security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The webhook's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000),
    ),
    responses(
        (status = 204, description = "The webhook is gone"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn delete_webhook(
    State(services): State<Services>,
    Caller(client): Caller,
    which: (SignedIn, Path<WebhookId>, IfMatch),
) -> Result<StatusCode> {
    let (who, Path(id), IfMatch(expected)) = which;
    services
        .delete_webhook(&who, id, &expected, &client)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change a webhook's secret
///
/// The new secret is in this answer and in no other. For 24 hours messages are signed with both.
#[utoipa::path(
    post, path = "/{id}/rotate-secret", tag = "Webhooks", operation_id = "rotate_webhook_secret", security(("bearerAuth" = [])),
    params(
        ("id" = Uuid, Path, description = "The webhook's id"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000),
    ),
    responses(
        (status = 200, description = "The webhook with its new secret", body = WebhookResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn rotate_webhook_secret(
    State(services): State<Services>,
    Caller(client): Caller,
    which: (SignedIn, Path<WebhookId>, IfMatch),
) -> Result<Versioned<WebhookResponse>> {
    let (who, Path(id), IfMatch(expected)) = which;
    let view = services
        .rotate_webhook_secret(&who, id, &expected, &client)
        .await?;
    Ok(answer(view))
}
