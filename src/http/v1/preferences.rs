//! What one looks for in work, and which mails one wants.

mod changes;

pub use changes::UpdatePreferencesRequest;

use crate::{
    domain::{Result, actor::SignedIn, preferences::Preferences},
    http::{
        extract::{Caller, IfMatch, Json},
        links::Links,
        versioned::Versioned,
    },
    services::Services,
};
use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

const HERE: &str = "/api/v1/users/me/preferences";

/// Kinds of employment.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(
    dead_code,
    reason = "only the document names it; on the wire it is text"
)]
pub enum JobTypeName {
    FullTime,
    PartTime,
    Contract,
    Internship,
    Temporary,
}

/// Where the work is done.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(
    dead_code,
    reason = "only the document names it; on the wire it is text"
)]
pub enum WorkModeName {
    Onsite,
    Hybrid,
    Remote,
}

/// What a person looks for in work, and which mails they want.
#[derive(Serialize, ToSchema)]
#[schema(as = Preferences, example = json!({
    "desired_titles": ["Analyst"], "job_types": ["full_time"], "work_modes": ["remote"], "locations": ["Utrecht"],
    "salary_min": 60000, "salary_max": 80000, "salary_currency": "EUR", "industries": ["Engines"],
    "available_from": "2026-03-01", "willing_to_relocate": false, "open_to_work": true, "email_notifications": true,
    "marketing_emails": false, "extra": { "theme": "dark" }, "updated_at": "2026-01-05T12:00:00Z", "version": 1,
    "_links": { "self": { "href": "/api/v1/users/me/preferences" } }
}))]
pub struct PreferencesResponse {
    #[schema(max_items = 20)]
    desired_titles: Vec<String>,
    #[schema(value_type = Vec<JobTypeName>, max_items = 5)]
    job_types: Vec<String>,
    #[schema(value_type = Vec<WorkModeName>, max_items = 3)]
    work_modes: Vec<String>,
    #[schema(max_items = 20)]
    locations: Vec<String>,
    /// A year's pay in whole units of `salary_currency`.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    salary_min: Option<i64>,
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    salary_max: Option<i64>,
    /// ISO 4217.
    #[schema(max_length = 3)]
    salary_currency: Option<String>,
    #[schema(max_items = 20)]
    industries: Vec<String>,
    #[schema(value_type = Option<String>, format = "date", max_length = 10)]
    available_from: Option<NaiveDate>,
    willing_to_relocate: bool,
    open_to_work: bool,
    /// Not shown to other members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email_notifications: Option<bool>,
    /// Not shown to other members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    marketing_emails: Option<bool>,
    /// Not shown to other members.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false, required = false)]
    extra: Option<Map<String, Value>>,
    updated_at: Option<DateTime<Utc>>,
    /// Raised by every change; 0 as long as nothing was ever told.
    #[schema(minimum = 0)]
    version: i64,
    #[serde(rename = "_links")]
    links: Links,
}

impl PreferencesResponse {
    /// One's own.
    pub fn own(preferences: Preferences) -> Self {
        let links = Links::new().to("self", HERE).to("update", HERE);
        Self::with_links(preferences, links)
    }

    /// What other members see of them: what work is looked for.
    pub fn for_members(preferences: Preferences, links: Links) -> Self {
        Self {
            email_notifications: None,
            marketing_emails: None,
            extra: None,
            ..Self::with_links(preferences, links)
        }
    }

    /// Anybody's, with where its reader can go from here.
    pub fn with_links(preferences: Preferences, links: Links) -> Self {
        let details = preferences.details;
        Self {
            desired_titles: details.desired_titles,
            job_types: details.job_types,
            work_modes: details.work_modes,
            locations: details.locations,
            salary_min: details.salary_min,
            salary_max: details.salary_max,
            salary_currency: details.salary_currency,
            industries: details.industries,
            available_from: details.available_from,
            willing_to_relocate: details.willing_to_relocate,
            open_to_work: preferences.open_to_work,
            email_notifications: Some(preferences.email_notifications),
            marketing_emails: Some(preferences.marketing_emails),
            extra: Some(details.extra),
            updated_at: preferences.updated_at,
            version: preferences.version,
            links,
        }
    }
}

/// See one's preferences
///
/// Who has told nothing yet has the defaults at version 0.
#[utoipa::path(
    get, path = "/me/preferences", tag = "Profile", operation_id = "get_preferences", security(("bearerAuth" = [])),
    responses((status = 200, description = "The preferences", body = PreferencesResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))))
)]
pub async fn get_preferences(
    State(services): State<Services>,
    who: SignedIn,
) -> Result<Versioned<PreferencesResponse>> {
    let told = services.get_preferences(&who).await?;
    Ok(Versioned(told.version, PreferencesResponse::own(told)))
}

/// Change one's preferences
///
/// A field that is left out stays, `null` empties it or restores its default; a list and `extra` are replaced as a
/// whole. `If-Match` with the `ETag` that was read guards against overwriting another change.
#[utoipa::path(
    patch, path = "/me/preferences", tag = "Profile", request_body = UpdatePreferencesRequest,
    operation_id = "update_preferences", security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000)),
    responses(
        (status = 200, description = "The preferences as they are now", body = PreferencesResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn update_preferences(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    IfMatch(expected): IfMatch,
    Json(body): Json<UpdatePreferencesRequest>,
) -> Result<Versioned<PreferencesResponse>> {
    let changes = body.parse()?;
    let told = services
        .update_preferences(&who, changes, &expected, &client)
        .await?;
    Ok(Versioned(told.version, PreferencesResponse::own(told)))
}

/// Change one's preferences
///
/// The same as `PATCH`: fields that are left out stay.
#[utoipa::path(
    put, path = "/me/preferences", tag = "Profile", request_body = UpdatePreferencesRequest,
    operation_id = "update_preferences_put", security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000)),
    responses(
        (status = 200, description = "The preferences as they are now", body = PreferencesResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn update_preferences_put(
    state: State<Services>,
    caller: Caller,
    who: SignedIn,
    expected: IfMatch,
    body: Json<UpdatePreferencesRequest>,
) -> Result<Versioned<PreferencesResponse>> {
    update_preferences(state, caller, who, expected, body).await
}
