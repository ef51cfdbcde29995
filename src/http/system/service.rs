//! What the service is, what its problems mean, with which keys its tokens are signed, where a password is changed.

use super::{System, fixed, nothing};
use crate::{
    domain::error::Result,
    http::{
        extract::{Json, Path},
        problem_kinds,
        settings::Docs,
    },
};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What this is.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"name": "Usher", "version": "0.1.0", "links": {"health": "/health", "openapi": "/openapi.json"}}))]
pub struct ServiceResponse {
    #[schema(value_type = String, max_length = 50)]
    name: &'static str,
    /// In development only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 50)]
    version: Option<&'static str>,
    /// Where to go on: relation to path.
    #[schema(value_type = BTreeMap<String, String>)]
    links: BTreeMap<&'static str, &'static str>,
}

/// Describe the service
///
/// Its name and where to go on.
#[utoipa::path(
    get, path = "/", tag = "System",
    responses((status = 200, description = "The service.", body = ServiceResponse))
)]
pub async fn describe_service(State(system): State<System>) -> Json<ServiceResponse> {
    let mut links = BTreeMap::from([("health", "/health"), ("jwks", "/.well-known/jwks.json")]);
    if system.settings.docs == Docs::Public {
        links.extend([
            ("openapi", "/openapi.json"),
            ("asyncapi", "/asyncapi.json"),
            ("docs", "/docs"),
            ("redoc", "/redoc"),
        ]);
    }
    let version = (!system.settings.production).then_some(env!("CARGO_PKG_VERSION"));
    Json(ServiceResponse {
        name: "Usher",
        version,
        links,
    })
}

/// What a kind of problem means.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "type": "/problems/token_used", "code": "token_used", "title": "Token used", "status": 410,
    "detail": "The link was used before.",
}))]
pub struct ProblemKindResponse {
    #[serde(rename = "type")]
    #[schema(max_length = 100)]
    kind: String,
    #[schema(value_type = String, max_length = 50)]
    code: &'static str,
    #[schema(max_length = 100)]
    title: String,
    /// The status that it usually comes with.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    #[schema(value_type = String, max_length = 500)]
    detail: &'static str,
}

/// Explain a kind of problem
///
/// The `type` of every problem leads here.
#[utoipa::path(
    get, path = "/problems/{code}", tag = "System",
    params(("code" = String, Path, description = "The problem's code.", max_length = 50, example = "token_used")),
    responses(
        (status = 200, description = "The kind of problem.", body = ProblemKindResponse),
        (status = 404, description = "`not_found`"),
    )
)]
pub async fn describe_problem(Path(code): Path<String>) -> Result<Json<ProblemKindResponse>> {
    let kind = problem_kinds::find(&code).ok_or_else(|| nothing("kind of problem"))?;
    Ok(Json(ProblemKindResponse {
        kind: problem_kinds::uri(kind.code),
        code: kind.code,
        title: problem_kinds::title(kind.code),
        status: kind.status,
        detail: kind.meaning,
    }))
}

/// The public keys of access tokens (RFC 7517).
#[derive(ToSchema)]
#[schema(example = json!({"keys": [{
    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "Dzm8XOoVrH4ZtBq2",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}]}))]
#[expect(
    dead_code,
    reason = "describes the document; the service makes the set itself"
)]
pub struct KeySetResponse {
    /// One JWK for each key that may have signed a token that is still valid.
    #[schema(max_items = 20, value_type = Vec<Object>)]
    keys: Vec<serde_json::Value>,
}

/// List the token keys
///
/// With these any service can check our access tokens offline. May be kept for five minutes.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "System",
    responses(
        (status = 200, description = "The JSON Web Key Set.", body = KeySetResponse),
        (status = 304, description = "Unchanged since the ETag of If-None-Match."),
    )
)]
pub async fn list_keys(State(system): State<System>, headers: HeaderMap) -> Response {
    let body = Bytes::from(system.services.jwks().to_string());
    fixed::Document::new(body, "application/json", "public, max-age=300").answer(&headers)
}

/// Find the page to change a password
///
/// Where password managers look for it (W3C, A Well-Known URL for Changing Passwords).
#[utoipa::path(
    get, path = "/.well-known/change-password", tag = "System",
    responses((status = 302, description = "The page is at Location.",
        headers(("Location" = String, description = "Path of the page."))))
)]
pub async fn find_password_page() -> Response {
    (StatusCode::FOUND, [(header::LOCATION, "/forgot-password")]).into_response()
}
