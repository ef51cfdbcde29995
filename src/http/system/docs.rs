//! The documentation for people: the OpenAPI document in both versions, Swagger UI and ReDoc. Everything comes out of
//! the binary; the pages' policy lets no request leave for another host.

use super::{System, fixed::Document, nothing, operator::Reader};
use crate::{
    domain::error::{Error, Result},
    http::extract::Path,
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use std::{borrow::Cow, sync::Arc};
use utoipa_swagger_ui::Config;

/// Styles inline and a worker from a blob: ReDoc builds both while it runs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SWAGGER_PAGE: &str = include_str!("swagger.html");
const REDOC_PAGE: &str = include_str!("redoc.html");
const REDOC_SCRIPT: &[u8] = include_bytes!("../../../assets/redoc/redoc.standalone.js");

/// The files of Swagger UI that its page asks for.
const SWAGGER_FILES: &[(&str, &str)] = &[
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("index.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    (
        "swagger-ui-standalone-preset.js",
        "text/javascript; charset=utf-8",
    ),
    ("swagger-initializer.js", "text/javascript; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

/// Kept, but asked for again: an upgrade shows at once.
const CACHE: &str = "no-cache";

pub fn routes() -> Router<System> {
    Router::new()
        .route("/openapi.json", get(current_document))
        .route("/openapi-3.0.json", get(older_document))
        .route("/docs", get(swagger_page))
        .route("/docs/{file}", get(swagger_file))
        .route("/redoc", get(redoc_page))
        .route("/redoc/{file}", get(redoc_file))
}

async fn current_document(_: Reader, State(system): State<System>, headers: HeaderMap) -> Response {
    system.documents.current.answer(&headers)
}

async fn older_document(_: Reader, State(system): State<System>, headers: HeaderMap) -> Response {
    system.documents.older.answer(&headers)
}

async fn swagger_page(_: Reader) -> Response {
    page(SWAGGER_PAGE)
}

async fn redoc_page(_: Reader) -> Response {
    page(REDOC_PAGE)
}

fn page(html: &'static str) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY.as_str(), POLICY),
        ("cross-origin-opener-policy", "same-origin"),
    ];
    (headers, Html(html)).into_response()
}

async fn swagger_file(_: Reader, Path(name): Path<String>, headers: HeaderMap) -> Result<Response> {
    let (name, media_type) = SWAGGER_FILES
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| nothing("file"))?;
    // The validator would show the address of the viewed document to another host.
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .use_base_layout()
        .persist_authorization(false);
    let file = utoipa_swagger_ui::serve(name, Arc::new(config))
        .map_err(|error| Error::internal(anyhow::anyhow!("{error}")))?
        .ok_or_else(|| nothing("file"))?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Ok(Document::new(bytes, media_type, CACHE).answer(&headers))
}

async fn redoc_file(_: Reader, Path(name): Path<String>, headers: HeaderMap) -> Result<Response> {
    if name != "redoc.standalone.js" {
        return Err(nothing("file"));
    }
    let script = Bytes::from_static(REDOC_SCRIPT);
    Ok(Document::new(script, "text/javascript; charset=utf-8", CACHE).answer(&headers))
}
