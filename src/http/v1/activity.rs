//! One's own entries of the audit trail.

use super::audit_logs::AuditEntryResponse;
use crate::{
    domain::{Result, actor::SignedIn},
    http::{
        collection::{Collection, CollectionResponse, PageFields},
        extract::{Check, Field, Query},
    },
    services::{Services, audit_logs::ORDER},
};
use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivityQuery {
    /// How many entries a page has: 1 to 100.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100, default = 20, example = 20)]
    #[serde(default)]
    limit: Field<String>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, max_length = 1000)]
    #[serde(default)]
    cursor: Field<String>,
}

/// List one's own activity
///
/// What one did, and what was done to one's account, newest first. Who somebody else is, and from where they came, is
/// left out.
#[utoipa::path(
    get, path = "/me/activity", tag = "Account", params(ActivityQuery), operation_id = "list_activity",
    security(("bearerAuth" = [])),
    responses((status = 200, description = "One's own entries", body = CollectionResponse<AuditEntryResponse>))
)]
pub async fn list_activity(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    who: SignedIn,
    Query(query): Query<ActivityQuery>,
) -> Result<Collection<AuditEntryResponse>> {
    let mut check = Check::new();
    let page = PageFields {
        limit: query.limit,
        cursor: query.cursor,
        include: Field::Absent,
    };
    let page = page.check(&mut check, ORDER);
    let request = check.done(page)?;
    let page = services.list_activity(&who, &request).await?;
    Ok(Collection::of(page.map(AuditEntryResponse::from), &uri))
}
