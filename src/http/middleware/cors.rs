//! CORS: which web front ends may read our answers. Never with credentials: the API takes its token from a header.

use super::{
    idempotency::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED},
    request_id::X_REQUEST_ID,
};
use crate::http::settings::Origins;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Duration;
use tower::{Layer, ServiceExt};
use tower_http::cors::{AllowOrigin, CorsLayer};

const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];
/// Named one by one: `*` would not cover `Authorization` (Fetch standard).
const REQUEST_HEADERS: [HeaderName; 9] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::ACCEPT,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    IDEMPOTENCY_KEY,
    X_REQUEST_ID,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];
const RESPONSE_HEADERS: [HeaderName; 8] = [
    X_REQUEST_ID,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    header::RETRY_AFTER,
    header::LINK,
    header::ETAG,
    header::LOCATION,
    IDEMPOTENCY_REPLAYED,
];

/// For these origins; anyone else's answers carry no permission.
pub fn layer(origins: &Origins) -> CorsLayer {
    let allowed = match origins {
        Origins::Any => AllowOrigin::any(),
        Origins::Listed(origins) => {
            let values = origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok());
            AllowOrigin::list(values)
        }
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(METHODS)
        .allow_headers(REQUEST_HEADERS)
        .expose_headers(RESPONSE_HEADERS)
        .max_age(Duration::from_mins(10))
}

/// Applies the layer, but lets an OPTIONS that is no preflight through to its 405 with `Allow`.
pub async fn apply(State(layer): State<CorsLayer>, request: Request, next: Next) -> Response {
    let is_preflight = request
        .headers()
        .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() == Method::OPTIONS && !is_preflight {
        return next.run(request).await;
    }
    match layer.layer(next).oneshot(request).await {
        Ok(response) => response.map(Body::new).into_response(),
        Err(never) => match never {},
    }
}
