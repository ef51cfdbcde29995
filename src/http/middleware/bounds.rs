//! Bounds on what comes before the body. hyper has its own, wider ones and answers those without a body; these come
//! first, so that a client reads why.

use crate::http::problem::Problem;
use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Longest path and query.
const MAX_URI: usize = 8 * 1024;
/// All header fields together, names and values.
const MAX_HEADERS: usize = 16 * 1024;

/// Refuses a path and query (414) or header fields (431) that are too long.
pub async fn limit(request: Request, next: Next) -> Response {
    let uri = request
        .uri()
        .path_and_query()
        .map_or(0, |uri| uri.as_str().len());
    if uri > MAX_URI {
        let detail = "The path and query are longer than 8 KiB.";
        return Problem::new(StatusCode::URI_TOO_LONG, "uri_too_long", detail).into_response();
    }
    let headers = request.headers().iter();
    let headers: usize = headers
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if headers > MAX_HEADERS {
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        let detail = "The header fields are larger than 16 KiB.";
        return Problem::new(status, "headers_too_large", detail).into_response();
    }
    next.run(request).await
}
