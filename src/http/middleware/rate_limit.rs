//! Rate limits by client address, told in the fields of the IETF draft (`RateLimit-Policy`, `RateLimit`). The class of
//! an operation stands in `CLASSES`; a route that is in neither table counts as `Api`.

use super::{Frame, Origin};
use crate::{
    domain::{client::Client, error::Error},
    http::error::whole_seconds,
    services::{Class, Decision},
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::Duration;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What the operator's tools ask often, and what is needed to read the API at all.
const UNLIMITED: &[&str] = &[
    "/",
    "/health",
    "/livez",
    "/readyz",
    "/metrics",
    "/db/status",
    "/openapi.json",
    "/openapi-3.0.json",
    "/docs",
    "/docs/{file}",
    "/redoc",
    "/redoc/{file}",
    "/problems/{code}",
    "/.well-known/jwks.json",
    "/.well-known/change-password",
];

/// POST operations with a class of their own, and the action that a refusal is counted under.
const CLASSES: &[(&str, Class, &str)] = &[
    ("/api/v1/auth/login", Class::Login, "login"),
    ("/auth/login", Class::Login, "login"),
    ("/login", Class::Login, "login"),
    (
        "/api/v1/auth/reauthenticate",
        Class::Login,
        "reauthenticate",
    ),
    (
        "/api/v1/auth/change-password",
        Class::Login,
        "change_password",
    ),
    ("/auth/change-password", Class::Login, "change_password"),
    ("/api/v1/auth/change-email", Class::Login, "change_email"),
    (
        "/api/v1/users/me/terminate",
        Class::Login,
        "terminate_account",
    ),
    ("/users/me/terminate", Class::Login, "terminate_account"),
    ("/terminate", Class::Login, "terminate_account"),
    (
        "/api/v1/auth/password-reset-confirm",
        Class::Login,
        "confirm_password_reset",
    ),
    (
        "/auth/reset-password",
        Class::Login,
        "confirm_password_reset",
    ),
    ("/password-reset", Class::Login, "confirm_password_reset"),
    ("/reset-password", Class::Login, "confirm_password_reset"),
    (
        "/api/v1/auth/accept-invitation",
        Class::Login,
        "accept_invitation",
    ),
    ("/accept-invitation", Class::Login, "accept_invitation"),
    ("/forgot-password", Class::Mail, "request_password_reset"),
    (
        "/resend-verification",
        Class::Mail,
        "request_email_verification",
    ),
    ("/api/v1/auth/register", Class::Register, "register"),
    ("/auth/register", Class::Register, "register"),
    ("/signup", Class::Register, "register"),
    (
        "/api/v1/auth/password-reset-request",
        Class::Mail,
        "request_password_reset",
    ),
    (
        "/auth/request-password-reset",
        Class::Mail,
        "request_password_reset",
    ),
    (
        "/password-reset-request",
        Class::Mail,
        "request_password_reset",
    ),
    (
        "/api/v1/auth/verify-email-request",
        Class::Mail,
        "request_email_verification",
    ),
    (
        "/auth/resend-verification",
        Class::Mail,
        "request_email_verification",
    ),
    ("/api/v1/auth/refresh", Class::Refresh, "refresh"),
    ("/auth/refresh", Class::Refresh, "refresh"),
];

/// Counts the request and refuses it when its class is used up.
pub async fn limit(State(frame): State<Frame>, request: Request, next: Next) -> Response {
    let Some((class, action)) = class(&request) else {
        return next.run(request).await;
    };
    let origin = request.extensions().get::<Origin>();
    let key = origin.map_or_else(|| "unknown".to_owned(), Origin::limit_key);
    let decision = (frame.hooks.check_rate)(class, &key);
    let mut response = if decision.allowed {
        next.run(request).await
    } else {
        metrics::counter!("usher_http_rate_limited_total", "class" => class.as_str()).increment(1);
        if let Some(client) = request.extensions().get::<Client>() {
            (frame.hooks.note_refusal)(action, client);
        }
        let retry_after = decision.retry_after.unwrap_or(Duration::from_secs(1));
        Error::TooMany { retry_after }.into_response()
    };
    tell(&mut response, class, &decision);
    response
}

fn class(request: &Request) -> Option<(Class, &'static str)> {
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("", MatchedPath::as_str);
    if UNLIMITED.contains(&path) {
        return None;
    }
    let own = CLASSES
        .iter()
        .find(|(of, ..)| request.method() == Method::POST && *of == path);
    Some(own.map_or((Class::Api, "request"), |(_, class, action)| {
        (*class, *action)
    }))
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
