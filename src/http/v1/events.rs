//! The event feed for other systems: every event in one order, as CloudEvents.

use super::audit_logs::user_id;
use crate::{
    domain::{
        Result, Timestamp,
        actor::SignedIn,
        cloud_event::{BATCH_CONTENT_TYPE, CloudEvent},
        error::Fault,
        event::{EventQuery, EventType},
        page::PageRequest,
    },
    http::{
        collection::{Collection, CollectionResponse, PageFields},
        extract::{Asked, Caller, Check, Field, Offers, Query},
    },
    services::{
        Services,
        events::feed::{Feed, ORDER},
    },
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// What the operation offers.
pub struct Forms;

impl Offers for Forms {
    const FORMS: &'static [&'static str] = &[
        "application/json",
        BATCH_CONTENT_TYPE,
        "application/problem+json",
    ];
    const REFUSAL: &'static str =
        "This operation answers in application/json or application/cloudevents-batch+json.";
}

/// What happened to a person (CloudEvents 1.0).
#[derive(Serialize, ToSchema)]
#[schema(as = CloudEvent, example = json!({
    "specversion": "1.0", "id": "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f", "source": "https://accounts.example.com",
    "type": "user.verified", "subject": "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e80", "time": "2026-01-05T12:00:00Z",
    "datacontenttype": "application/json", "sequence": "00000000000000000003", "requestid": "r-1",
    "data": { "user": { "id": "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e80", "email": "bob@example.com" } },
}))]
pub struct CloudEventResponse {
    /// Always `1.0`.
    #[schema(max_length = 3, example = "1.0")]
    specversion: &'static str,
    /// The same at every delivery.
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    id: String,
    /// The service's public URL.
    #[schema(max_length = 2000, example = "https://accounts.example.com")]
    source: String,
    #[serde(rename = "type")]
    #[schema(max_length = 64, example = "user.verified")]
    kind: String,
    /// The person's id.
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e80")]
    subject: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-01-05T12:00:00Z")]
    time: Timestamp,
    #[schema(max_length = 64, example = "application/json")]
    datacontenttype: &'static str,
    /// The number in the person's order, 20 digits, from 1 on without holes.
    #[schema(max_length = 20, example = "00000000000000000003")]
    sequence: String,
    /// The request that caused it.
    #[schema(max_length = 200, example = "r-1")]
    requestid: String,
    /// W3C Trace Context of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        max_length = 55,
        example = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    )]
    traceparent: Option<String>,
    /// Why `data` is null: `erased` with the person, or `unreadable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 20, example = "erased")]
    withheld: Option<&'static str>,
    /// By type as `/asyncapi.json` says; null where `withheld` says why.
    #[schema(value_type = Option<Object>)]
    data: Value,
}

impl From<CloudEvent> for CloudEventResponse {
    fn from(event: CloudEvent) -> Self {
        Self {
            specversion: event.specversion,
            id: event.id.to_string(),
            source: event.source,
            kind: event.kind,
            subject: event.subject.to_string(),
            time: event.time,
            datacontenttype: event.datacontenttype,
            sequence: event.sequence,
            requestid: event.requestid,
            traceparent: event.traceparent,
            withheld: event
                .withheld
                .map(crate::domain::cloud_event::Withheld::as_str),
            data: event.data,
        }
    }
}

/// Which events.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Of this type.
    #[serde(rename = "type", default)]
    #[param(value_type = Option<String>, max_length = 64, example = "user.created")]
    kind: Field<String>,
    /// About the person with this id.
    #[param(value_type = Option<Uuid>, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    #[serde(default)]
    subject: Field<String>,
    /// How many events a page has: 1 to 100.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100, default = 20, example = 20)]
    #[serde(default)]
    limit: Field<String>,
    /// `next_cursor` of the page before, or the cursor of `_links.monitor`.
    #[param(value_type = Option<String>, max_length = 1000)]
    #[serde(default)]
    cursor: Field<String>,
}

impl EventsQuery {
    fn check(self) -> Result<(EventQuery, PageRequest)> {
        let mut check = Check::new();
        let kind = check.optional_text("type", self.kind, kind);
        let subject = check.optional_text("subject", self.subject, user_id);
        let page = PageFields {
            limit: self.limit,
            cursor: self.cursor,
            include: Field::Absent,
        };
        let page = page.check(&mut check, ORDER);
        let (kind, subject, page) = check.done((kind, subject, page))?;
        Ok((EventQuery { kind, subject }, page))
    }
}

fn kind(text: &str) -> Result<EventType, Fault> {
    let unknown = Fault::new("unknown_value", "There are no events of this type.");
    EventType::parse(text).ok_or(unknown)
}

/// Read the event feed
///
/// Oldest first, in one order that never changes: of one person's events none comes before an earlier one, and none
/// appears before a place that was read. `_links.monitor` is where later events will be. With
/// `Accept: application/cloudevents-batch+json` the page is an array of events, and the links are in `Link` alone.
/// Events older than `EVENTS_RETENTION_DAYS` are gone; a cursor after which some went unread is answered with 410. A read is an entry of the audit trail.
#[utoipa::path(
    get, path = "/events", tag = "Events", params(EventsQuery), operation_id = "list_events",
    security(("bearerAuth" = [])),
    responses(
        (status = 200, description = "The events that match", content(
            (CollectionResponse<CloudEventResponse> = "application/json"),
            (Vec<CloudEventResponse> = "application/cloudevents-batch+json"),
        )),
        (status = 403, description = "`forbidden`"),
        (status = 410, description = "`cursor_expired`"),
    )
)]
pub async fn list_events(
    State(services): State<Services>,
    asked: Asked<Forms>,
    Caller(client): Caller,
    who: SignedIn,
    Query(query): Query<EventsQuery>,
) -> Result<Response> {
    let (query, request) = query.check()?;
    let feed = services
        .list_events(&who, &query, &request, &client)
        .await?;
    Ok(match asked.form {
        BATCH_CONTENT_TYPE => batch(feed, &asked.uri),
        _ => collection(feed, &asked.uri).into_response(),
    })
}

fn collection(feed: Feed, uri: &Uri) -> Collection<CloudEventResponse> {
    let page = feed.page.map(CloudEventResponse::from);
    Collection::of(page, uri).monitored_at(uri, feed.monitor.as_ref())
}

fn batch(feed: Feed, uri: &Uri) -> Response {
    let page = collection(feed, uri);
    let links = page.link_header();
    let mut response = Json(page.items()).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(BATCH_CONTENT_TYPE),
    );
    if let Some(links) = links {
        headers.insert(header::LINK, links);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_breaks_a_filter(text in "\\PC{0,70}") {
            if let Ok(kind) = kind(&text) {
                prop_assert_eq!(kind.as_str(), text);
            }
        }
    }
}
