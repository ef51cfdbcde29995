//! The documentation for people: the OpenAPI document in both versions, Swagger UI and ReDoc. Everything comes out of
//! the binary; the pages' policy lets no request leave for another host.

use super::{
    System,
    fixed::{DOCUMENTS, Document},
    nothing,
    operator::Reader,
};
use crate::{domain::error::Error, http::extract::Path};
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, get},
};
use std::{collections::HashMap, sync::Arc};

/// Styles inline and a worker from a blob: ReDoc builds both while it runs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SWAGGER_PAGE: &str = include_str!("swagger.html");
const SWAGGER_START: &[u8] = include_bytes!("swagger.js");
const SWAGGER_SCRIPT: &[u8] = include_bytes!("../../../assets/swagger-ui/swagger-ui-bundle.js.gz");
const SWAGGER_STYLE: &[u8] = include_bytes!("../../../assets/swagger-ui/swagger-ui.css.gz");
const REDOC_PAGE: &str = include_str!("redoc.html");
const REDOC_SCRIPT: &[u8] = include_bytes!("../../../assets/redoc/redoc.standalone.js.gz");

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Kept, but asked for again: an upgrade shows at once.
const CACHE: &str = "no-cache";

pub fn routes() -> Router<System> {
    Router::new()
        .route("/openapi.json", get(current_document))
        .route("/openapi-3.0.json", get(older_document))
        .route("/asyncapi.json", get(event_document))
        .route("/docs", get(swagger_page))
        .route("/docs/{file}", files(swagger_files()))
        .route("/redoc", get(redoc_page))
        .route("/redoc/{file}", files(redoc_files()))
}

async fn current_document(_: Reader, headers: HeaderMap) -> Response {
    DOCUMENTS.current.answer(&headers)
}

async fn older_document(_: Reader, headers: HeaderMap) -> Response {
    DOCUMENTS.older.answer(&headers)
}

async fn event_document(_: Reader, headers: HeaderMap) -> Response {
    DOCUMENTS.events.answer(&headers)
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

/// What a page asks for, by name. Nothing else is there, so no name leads out of it; and the validators of these
/// megabytes are made once.
type Files = HashMap<&'static str, Document>;

fn files(files: Files) -> MethodRouter<System> {
    let files = Arc::new(files);
    get(
        async move |_: Reader, Path(name): Path<String>, headers: HeaderMap| {
            let file = files.get(name.as_str()).ok_or_else(|| nothing("file"))?;
            Ok::<_, Error>(file.answer(&headers))
        },
    )
}

fn swagger_files() -> Files {
    let start = Document::new(Bytes::from_static(SWAGGER_START), SCRIPT, CACHE);
    HashMap::from([
        ("swagger-start.js", start),
        ("swagger-ui-bundle.js", packed(SWAGGER_SCRIPT, SCRIPT)),
        ("swagger-ui.css", packed(SWAGGER_STYLE, STYLE)),
    ])
}

fn redoc_files() -> Files {
    HashMap::from([("redoc.standalone.js", packed(REDOC_SCRIPT, SCRIPT))])
}

fn packed(file: &'static [u8], media_type: &'static str) -> Document {
    Document::packed(Bytes::from_static(file), media_type, CACHE)
}
