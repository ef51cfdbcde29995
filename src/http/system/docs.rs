//! The documentation for people: the OpenAPI document in both versions, Swagger UI and ReDoc. Everything comes out of
//! the binary; the pages' policy lets no request leave for another host.

use super::{System, fixed::Document, nothing, operator::Reader};
use crate::{domain::error::Error, http::extract::Path};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, get},
};
use std::{borrow::Cow, collections::HashMap, sync::Arc};
use utoipa_swagger_ui::Config;

/// Styles inline and a worker from a blob: ReDoc builds both while it runs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SWAGGER_PAGE: &str = include_str!("swagger.html");
const REDOC_PAGE: &str = include_str!("redoc.html");
const REDOC_SCRIPT: &[u8] = include_bytes!("../../../assets/redoc/redoc.standalone.js");

/// The files of Swagger UI that its page asks for.
const SWAGGER_FILES: [(&str, &str); 6] = [
    ("swagger-ui.css", STYLE),
    ("index.css", STYLE),
    ("swagger-ui-bundle.js", SCRIPT),
    ("swagger-ui-standalone-preset.js", SCRIPT),
    ("swagger-initializer.js", SCRIPT),
    ("favicon-32x32.png", "image/png"),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Kept, but asked for again: an upgrade shows at once.
const CACHE: &str = "no-cache";

pub fn routes() -> Router<System> {
    Router::new()
        .route("/openapi.json", get(current_document))
        .route("/openapi-3.0.json", get(older_document))
        .route("/docs", get(swagger_page))
        .route("/docs/{file}", files(swagger_files()))
        .route("/redoc", get(redoc_page))
        .route("/redoc/{file}", files(redoc_files()))
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
    // The validator would show the address of the viewed document to another host.
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .use_base_layout()
        .persist_authorization(false);
    let config = Arc::new(config);
    let found = SWAGGER_FILES.into_iter().filter_map(|(name, media_type)| {
        let file = utoipa_swagger_ui::serve(name, Arc::clone(&config)).ok()??;
        let bytes = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Some((name, Document::new(bytes, media_type, CACHE)))
    });
    found.collect()
}

fn redoc_files() -> Files {
    let script = Document::new(Bytes::from_static(REDOC_SCRIPT), SCRIPT, CACHE);
    HashMap::from([("redoc.standalone.js", script)])
}
