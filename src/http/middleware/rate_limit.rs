//! Rate limits by client address, told in the fields of the IETF draft (`RateLimit-Policy`, `RateLimit`). What counts
//! against which limit stands in `classes`.

use super::{Frame, Origin, classes};
use crate::{
    domain::{client::Client, error::Error},
    http::error::whole_seconds,
    services::{Class, Decision},
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Duration;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts the request and refuses it when its class is used up. Requests for mails are always answered alike: past their limit
/// they only have no effect.
pub async fn limit(State(frame): State<Frame>, request: Request, next: Next) -> Response {
    let Some((class, action)) = class(&request) else {
        return next.run(request).await;
    };
    let origin = request.extensions().get::<Origin>();
    let key = origin.map_or_else(|| "unknown".to_owned(), Origin::limit_key);
    let decision = (frame.hooks.check_rate)(class, key).await;
    let mut response = if decision.allowed {
        next.run(request).await
    } else {
        metrics::counter!("usher_http_rate_limited_total", "class" => class.as_str()).increment(1);
        let client = request.extensions().get::<Client>();
        if let Some(client) = client {
            (frame.hooks.note_refusal)(action, client);
        }
        if let (Class::Mail, Some(client)) = (class, client) {
            client.trace.note_past_limit();
            next.run(request).await
        } else {
            let retry_after = decision.retry_after.unwrap_or(Duration::from_secs(1));
            Error::TooMany { retry_after }.into_response()
        }
    };
    tell(&mut response, class, &decision);
    response
}

fn class(request: &Request) -> Option<(Class, &'static str)> {
    let route = request.extensions().get::<MatchedPath>();
    classes::find(request.method(), route.map_or("", MatchedPath::as_str))
}

fn tell(response: &mut Response, class: Class, decision: &Decision) {
    if decision.is_unlimited() {
        return;
    }
    let class = class.as_str();
    let window = whole_seconds(decision.window);
    let reset = whole_seconds(decision.reset);
    let fields = [
        (
            RATE_LIMIT_POLICY,
            format!("\"{class}\";q={};w={window}", decision.limit),
        ),
        (
            RATE_LIMIT,
            format!("\"{class}\";r={};t={reset}", decision.remaining),
        ),
    ];
    for (name, value) in fields {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
}
