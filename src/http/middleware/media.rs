//! A body that is no JSON is refused (415) also where the operation needs none: what a form of another site can send has no
//! effect anywhere.

use crate::http::extract::must_be_json;
use axum::body::HttpBody as _;
use axum::{
    extract::{MatchedPath, Request},
    http::{Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Looks at what the request says of its body, not at the body; a `route_layer`.
pub async fn json_only(request: Request, next: Next) -> Response {
    if brings_a_body(&request)
        && !is_picture(&request)
        && let Err(problem) = must_be_json(request.headers())
    {
        return problem.into_response();
    }
    next.run(request).await
}

/// Whether there is one; of unknown length only if it is said to be something.
fn brings_a_body(request: &Request) -> bool {
    let is_declared = request.headers().contains_key(header::CONTENT_TYPE);
    let body = request.body();
    !body.is_end_stream() && (is_declared || body.size_hint().lower() > 0)
}

/// Whether this is where one operation takes something else; a method that is not there at all is told so (405).
fn is_picture(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>();
    *request.method() != Method::DELETE
        && route.is_some_and(|route| route.as_str().ends_with("/me/avatar"))
}
