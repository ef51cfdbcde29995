//! The extended profile.

mod changes;

pub use changes::{EducationItem, UpdateProfileRequest};

use crate::{
    domain::{Result, actor::SignedIn, profile::Profile},
    http::{
        extract::{Caller, IfMatch, Json},
        links::Links,
        versioned::Versioned,
    },
    services::Services,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

const HERE: &str = "/api/v1/users/me/profile";

/// Who may see a profile.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(
    dead_code,
    reason = "only the document names it; on the wire it is text"
)]
pub enum VisibilityName {
    Public,
    Members,
    Private,
}

/// What a person tells of themselves.
#[derive(Serialize, ToSchema)]
#[schema(as = Profile)]
pub struct ProfileResponse {
    #[schema(max_length = 150, example = "Analyst of engines")]
    headline: Option<String>,
    #[schema(
        max_length = 2000,
        example = "I write programs for machines\nthat are not built yet."
    )]
    bio: Option<String>,
    #[schema(max_length = 100, example = "Analytical Engines")]
    company: Option<String>,
    #[schema(max_length = 2000, example = "https://ada.example/")]
    website: Option<String>,
    #[schema(max_items = 10, example = json!(["https://code.example/ada"]))]
    links: Vec<String>,
    /// E.164.
    #[schema(max_length = 16, example = "+31207946095")]
    phone: Option<String>,
    #[schema(minimum = 0, maximum = 80, example = 12)]
    experience_years: Option<u8>,
    #[schema(max_items = 50, example = json!(["mathematics"]))]
    skills: Vec<String>,
    /// BCP 47.
    #[schema(max_items = 20, example = json!(["en-GB"]))]
    languages: Vec<String>,
    #[schema(max_items = 20)]
    education: Vec<EducationItem>,
    #[schema(value_type = VisibilityName, example = "members")]
    visibility: &'static str,
    updated_at: Option<DateTime<Utc>>,
    /// Raised by every change; 0 as long as nothing was ever told.
    #[schema(minimum = 0, example = 1)]
    version: i64,
    #[serde(rename = "_links")]
    links_to: Links,
}

impl ProfileResponse {
    /// One's own.
    pub fn own(profile: Profile) -> Self {
        let links = Links::new().to("self", HERE).to("update", HERE);
        Self::with_links(profile, links)
    }

    /// Anybody's, with where its reader can go from here.
    pub fn with_links(profile: Profile, links: Links) -> Self {
        let details = profile.details;
        Self {
            headline: profile.headline,
            bio: details.bio,
            company: details.company,
            website: details.website,
            links: details.links,
            phone: details.phone,
            experience_years: details.experience_years,
            skills: profile.skills,
            languages: details.languages,
            education: details
                .education
                .into_iter()
                .map(EducationItem::from)
                .collect(),
            visibility: profile.visibility.as_str(),
            updated_at: profile.updated_at,
            version: profile.version,
            links_to: links,
        }
    }
}

/// See one's profile
///
/// What one tells of oneself beside the account. Who has told nothing yet has an empty one at version 0.
#[utoipa::path(
    get, path = "/me/profile", tag = "Profile", operation_id = "get_profile", security(("bearerAuth" = [])),
    responses((status = 200, description = "The profile", body = ProfileResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))))
)]
pub async fn get_profile(
    State(services): State<Services>,
    who: SignedIn,
) -> Result<Versioned<ProfileResponse>> {
    let profile = services.get_profile(&who).await?;
    Ok(Versioned(profile.version, ProfileResponse::own(profile)))
}

/// Change one's profile
///
/// A field that is left out stays, `null` empties it; a list is replaced as a whole. `If-Match` with the `ETag` that was
/// read guards against overwriting another change.
#[utoipa::path(
    patch, path = "/me/profile", tag = "Profile", request_body = UpdateProfileRequest, operation_id = "update_profile",
    security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000)),
    responses(
        (status = 200, description = "The profile as it is now", body = ProfileResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn update_profile(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    IfMatch(expected): IfMatch,
    Json(body): Json<UpdateProfileRequest>,
) -> Result<Versioned<ProfileResponse>> {
    let changes = body.parse()?;
    let profile = services
        .update_profile(&who, changes, &expected, &client)
        .await?;
    Ok(Versioned(profile.version, ProfileResponse::own(profile)))
}

/// Change one's profile
///
/// The same as `PATCH`: fields that are left out stay.
#[utoipa::path(
    put, path = "/me/profile", tag = "Profile", request_body = UpdateProfileRequest, operation_id = "update_profile_put",
    security(("bearerAuth" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` that was read", max_length = 1000)),
    responses(
        (status = 200, description = "The profile as it is now", body = ProfileResponse, headers(("ETag" = String, description = "The version, for `If-Match`"))),
        (status = 412, description = "`stale`"),
    )
)]
pub async fn update_profile_put(
    state: State<Services>,
    caller: Caller,
    who: SignedIn,
    expected: IfMatch,
    body: Json<UpdateProfileRequest>,
) -> Result<Versioned<ProfileResponse>> {
    update_profile(state, caller, who, expected, body).await
}
