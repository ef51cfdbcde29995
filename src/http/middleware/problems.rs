//! Every failure leaves as `application/problem+json` that says for which request it is. Those of the framework (wrong
//! method, unknown path, its own rejections) come as bare statuses or plain text and are put into words here; pages
//! (`text/html`) are left alone.

use crate::{
    domain::client::Client,
    http::{error::retry_after, problem::Problem},
};
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Duration;

/// Puts failures into words and names their request.
pub async fn complete(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let client = request.extensions().get::<Client>();
    let request_id = client.map_or_else(String::new, |client| client.request_id.clone());
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem = match response.extensions().get::<Problem>() {
        Some(problem) => problem.clone(),
        None if is_bare(response.headers()) => in_words(status),
        None => return response,
    };
    let (mut parts, _) = response.into_parts();
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(name);
    }
    if matches!(
        status,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    ) {
        let pause = retry_after(Duration::from_secs(1));
        parts.headers.entry(header::RETRY_AFTER).or_insert(pause);
    }
    (parts.headers, problem.of_request(&path, &request_id)).into_response()
}

/// The answer for a path that is none.
pub async fn not_found() -> Problem {
    in_words(StatusCode::NOT_FOUND)
}

fn is_bare(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}

fn in_words(status: StatusCode) -> Problem {
    let (code, detail) = match status {
        StatusCode::UNAUTHORIZED => ("unauthenticated", "This needs an access token."),
        StatusCode::FORBIDDEN => ("forbidden", "This is not allowed."),
        StatusCode::NOT_FOUND => ("not_found", "There is nothing at this path."),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method_not_allowed",
            "The path does not have this method; Allow names those it has.",
        ),
        StatusCode::NOT_ACCEPTABLE => ("not_acceptable", "No media type of Accept can be given."),
        StatusCode::REQUEST_TIMEOUT => ("timeout", "The request did not arrive in time."),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "payload_too_large",
            "The body is larger than this operation takes.",
        ),
        StatusCode::URI_TOO_LONG => ("uri_too_long", "The path and query are too long."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => (
            "unsupported_media_type",
            "The body is in a form that this operation does not take.",
        ),
        StatusCode::UNPROCESSABLE_ENTITY => ("validation_failed", "The request breaks a rule."),
        StatusCode::TOO_MANY_REQUESTS => (
            "rate_limited",
            "Too many requests; wait before trying again.",
        ),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            ("headers_too_large", "The header fields are too large.")
        }
        StatusCode::SERVICE_UNAVAILABLE => (
            "unavailable",
            "The service cannot answer just now; try again shortly.",
        ),
        status if status.is_server_error() => (
            "internal",
            "Something went wrong here; the request id helps us find it.",
        ),
        _ => ("malformed", "The request could not be read."),
    };
    Problem::new(status, code, detail)
}
