//! One's sessions: log out here or everywhere, see and end devices. Staff signs others out.

use crate::{
    domain::{
        Result,
        actor::SignedIn,
        id::{SessionId, UserId},
    },
    http::{
        collection::{Collection, CollectionResponse, PageQuery},
        extract::{Caller, Path, Query},
        links::Links,
    },
    services::{
        Services,
        sessions::{ORDER, SessionView},
    },
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A signed-in device.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionResponse {
    #[schema(value_type = Uuid, example = "01936f5e-8a7b-7c3d-9e1f-2a3b4c5d6e7f")]
    id: SessionId,
    /// For people.
    #[schema(max_length = 200, example = "Firefox on Linux")]
    device: String,
    #[schema(max_length = 100, example = "Firefox")]
    browser: Option<String>,
    #[schema(max_length = 100, example = "Linux")]
    os: Option<String>,
    #[schema(max_length = 45, example = "203.0.113.7")]
    ip: Option<String>,
    created_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// The one that asks.
    current: bool,
    #[serde(rename = "_links")]
    links: Links,
}

impl From<SessionView> for SessionResponse {
    fn from(view: SessionView) -> Self {
        let here = format!("/api/v1/auth/sessions/{}", view.id);
        Self {
            id: view.id,
            device: view.device.device,
            browser: view.device.browser,
            os: view.device.os,
            ip: view.ip,
            created_at: view.created_at,
            last_seen_at: view.last_seen_at,
            expires_at: view.expires_at,
            current: view.is_current,
            links: Links::new().to("self", here.clone()).to("delete", here),
        }
    }
}

/// Log out
///
/// Ends this session; its access token is refused at once afterwards.
#[utoipa::path(
    post, path = "/logout", tag = "Sessions", operation_id = "logout", security(("bearerAuth" = [])),
    responses((status = 204, description = "The session has ended"))
)]
pub async fn logout(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
) -> Result<StatusCode> {
    services.logout(&who, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Log out everywhere
///
/// Ends all sessions of the person, this one included.
#[utoipa::path(
    post, path = "/logout-all", tag = "Sessions", operation_id = "logout_all", security(("bearerAuth" = [])),
    responses((status = 204, description = "All sessions have ended"))
)]
pub async fn logout_all(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
) -> Result<StatusCode> {
    services.logout_all(&who, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List one's sessions
///
/// The live ones, newest first.
#[utoipa::path(
    get, path = "/sessions", tag = "Sessions", params(PageQuery), operation_id = "list_sessions", security(("bearerAuth" = [])),
    responses((status = 200, description = "The live sessions", body = CollectionResponse<SessionResponse>))
)]
pub async fn list_sessions(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    who: SignedIn,
    Query(query): Query<PageQuery>,
) -> Result<Collection<SessionResponse>> {
    let request = query.check(ORDER)?;
    let page = services.list_sessions(&who, &request).await?;
    Ok(Collection::of(page.map(SessionResponse::from), &uri))
}

/// Read one of one's sessions
///
/// Another person's session is as unknown as one that never was or has ended.
#[utoipa::path(
    get, path = "/sessions/{id}", tag = "Sessions", operation_id = "get_session", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The session's id")),
    responses((status = 200, description = "The session", body = SessionResponse), (status = 404, description = "`not_found`"))
)]
pub async fn get_session(
    State(services): State<Services>,
    who: SignedIn,
    Path(id): Path<SessionId>,
) -> Result<Json<SessionResponse>> {
    Ok(Json(services.get_session(&who, id).await?.into()))
}

/// End one of one's sessions
///
/// Another person's session is as unknown as one that never was.
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "Sessions", operation_id = "revoke_session", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The session's id")),
    responses((status = 204, description = "The session has ended"), (status = 404, description = "`not_found`"))
)]
pub async fn revoke_session(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Path(id): Path<SessionId>,
) -> Result<StatusCode> {
    services.revoke_session(&who, id, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign a person out everywhere
///
/// Ends all sessions of the person; the access tokens are refused at once.
#[utoipa::path(
    post, path = "/{id}/revoke-sessions", tag = "Users", operation_id = "revoke_user_sessions", security(("bearerAuth" = [])),
    params(("id" = Uuid, Path, description = "The person's id")),
    responses(
        (status = 204, description = "All sessions have ended"),
        (status = 403, description = "`forbidden`"),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn revoke_user_sessions(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    Path(id): Path<UserId>,
) -> Result<StatusCode> {
    services
        .revoke_user_sessions((&who).into(), id, &client)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
