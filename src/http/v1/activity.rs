//! One's own entries of the audit trail.

use super::audit_logs::AuditEntryResponse;
use crate::{
    domain::{Result, actor::SignedIn},
    http::{
        collection::{Collection, CollectionResponse, PageQuery},
        extract::Query,
    },
    services::{Services, audit_logs::ORDER},
};
use axum::extract::{OriginalUri, State};

/// List one's own activity
///
/// What one did, and what was done to one's account, newest first. Who somebody else is, and from where they came, is
/// left out.
#[utoipa::path(
    get, path = "/me/activity", tag = "Account", params(PageQuery), operation_id = "list_activity",
    security(("bearerAuth" = [])),
    responses((status = 200, description = "One's own entries", body = CollectionResponse<AuditEntryResponse>))
)]
pub async fn list_activity(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    who: SignedIn,
    Query(query): Query<PageQuery>,
) -> Result<Collection<AuditEntryResponse>> {
    let request = query.check(ORDER)?;
    let page = services.list_activity(&who, &request).await?;
    Ok(Collection::of(page.map(AuditEntryResponse::from), &uri))
}
