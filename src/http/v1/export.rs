//! Everything that is kept about oneself, to take along.

use crate::{
    domain::{Result, actor::SignedIn},
    http::{extract::Caller, negotiate},
    services::Services,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use utoipa::ToSchema;

const JSON: &str = "application/json";
const ZIP: &str = "application/zip";

/// Everything that is kept about a person: a section for each kind, lists newest first.
#[derive(ToSchema)]
#[schema(as = Export, example = json!({
    "exported_at": "2026-01-05T12:00:00Z",
    "account": { "email": "ada@example.com" }, "profile": { "headline": "Analyst" }, "preferences": { "open_to_work": false },
    "roles": [], "password": [], "sessions": [], "known_devices": [], "email_verifications": [], "password_resets": [],
    "invitations": [], "email_changes": [], "mails": [], "events": [], "activity": [], "incomplete": []
}))]
#[expect(dead_code, reason = "only the document names it; the service makes it")]
pub struct ExportResponse {
    exported_at: DateTime<Utc>,
    #[schema(value_type = Object)]
    account: Value,
    #[schema(value_type = Object)]
    profile: Value,
    #[schema(value_type = Object)]
    preferences: Value,
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    roles: Value,
    /// When it was set, not what it is.
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    password: Value,
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    sessions: Value,
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    known_devices: Value,
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    email_verifications: Value,
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    password_resets: Value,
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    invitations: Value,
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    email_changes: Value,
    /// Without their text, which may hold a link that is still good.
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    mails: Value,
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    events: Value,
    /// Entries of the audit trail by or about the person.
    #[schema(value_type = Vec<Object>, max_items = 10_000)]
    activity: Value,
    /// Sections with more than 10,000 rows, of which the oldest are left out.
    #[schema(max_items = 20)]
    incomplete: Vec<String>,
}

/// Take one's data along
///
/// All personal data in one document; with `Accept: application/zip` a zip with `export.json` and the picture. Passwords,
/// tokens and the text of mails are not in it.
#[utoipa::path(
    get, path = "/me/export", tag = "Account", operation_id = "export_me", security(("bearerAuth" = [])),
    responses((
        status = 200, description = "The data, to be saved as a file",
        content((ExportResponse = "application/json"), (String = "application/zip", example = json!("PK.."))),
        headers(("Content-Disposition" = String, description = "A file name"))
    ))
)]
pub async fn export_me(
    State(services): State<Services>,
    Caller(client): Caller,
    who: SignedIn,
    headers: HeaderMap,
) -> Result<Response> {
    if negotiate::best(&headers, &[JSON, ZIP]) == Some(ZIP) {
        let packed = services.export_me_zip(&who, &client).await?;
        let media_type = [(header::CONTENT_TYPE, ZIP)];
        return Ok((media_type, file("usher-export.zip"), packed).into_response());
    }
    let document = services.export_me(&who, &client).await?;
    Ok((file("usher-export.json"), Json(document)).into_response())
}

/// To be saved under this name; which form was chosen depends on `Accept`.
fn file(name: &'static str) -> [(HeaderName, HeaderValue); 2] {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let saved = disposition.unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    [
        (header::CONTENT_DISPOSITION, saved),
        (header::VARY, HeaderValue::from_static("accept")),
    ]
}
