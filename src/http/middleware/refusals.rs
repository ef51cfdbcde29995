//! Sees to it that every refusal (401, 403, an unknown mailed token) is in the audit trail, whatever operation it was of:
//! one that was refused at the door has reached no use case that could tell of it.

use super::Frame;
use crate::{
    domain::{audit::Refused, client::Client, id::UserId},
    http::{compat::use_case, document},
};
use axum::{
    extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State},
    http::{Method, request::Parts},
    middleware::Next,
    response::Response,
};
use serde_json::Value;
use std::{collections::HashMap, sync::LazyLock};

/// What pages do, by path; the document does not have them.
const PAGES: &[(&str, &str)] = &[
    ("/verify-email", "verify_email"),
    ("/verify-email/decline", "decline_email_verification"),
    ("/confirm-email-change", "confirm_email_change"),
    ("/undo-email-change", "undo_email_change"),
    ("/reset-password", "confirm_password_reset"),
    ("/accept-invitation", "accept_invitation"),
    ("/docs", "read_documentation"),
    ("/redoc", "read_documentation"),
    ("/openapi.json", "read_documentation"),
    ("/openapi-3.0.json", "read_documentation"),
    ("/asyncapi.json", "read_documentation"),
];

/// How the paths of operations on somebody begin.
const ON_SOMEBODY: [&str; 2] = ["/api/v1/users/{id}", "/users/{id}"];

/// What the trail calls a refused request that belongs to nothing else.
const ANY: &str = "request";

/// The verb phrase of each operation of the document, by path and method.
static OPERATIONS: LazyLock<HashMap<(String, String), String>> = LazyLock::new(|| {
    let document = document();
    let paths = document.get("paths").and_then(Value::as_object);
    let paths = paths.into_iter().flatten();
    paths
        .filter_map(|(path, item)| Some((path, item.as_object()?)))
        .flat_map(|(path, item)| {
            item.iter().filter_map(move |(method, operation)| {
                let id = operation.get("operationId")?.as_str()?;
                let place = (path.clone(), method.to_uppercase());
                Some((place, use_case(id).to_owned()))
            })
        })
        .collect()
});

/// Lets the trail know of the refusal that the answer carries.
pub async fn record(State(frame): State<Frame>, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<Client>().cloned();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("", MatchedPath::as_str);
    let method = request.method().clone();
    let (mut parts, body) = request.into_parts();
    let aim = aim(route, &mut parts).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    let refused = response.extensions().get::<Refused>().copied();
    if let (Some(client), Some(refused)) = (client, refused) {
        let refused = Refused { aim, ..refused };
        (frame.hooks.record_refusal)(action(&method, route), refused, client).await;
    }
    response
}

/// Whom the path names.
async fn aim(route: &str, parts: &mut Parts) -> Option<UserId> {
    let is_on_somebody = ON_SOMEBODY.iter().any(|start| route.starts_with(start));
    if !is_on_somebody {
        return None;
    }
    let values = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    let id = values.iter().find(|(name, _)| *name == "id");
    id?.1.parse().ok()
}

fn action(method: &Method, route: &str) -> &'static str {
    let method = match method.as_str() {
        "HEAD" => "GET",
        other => other,
    };
    let page = || PAGES.iter().find(|(path, _)| *path == route);
    OPERATIONS
        .get(&(route.to_owned(), method.to_owned()))
        .map(String::as_str)
        .or_else(|| page().map(|(_, action)| *action))
        .unwrap_or(ANY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_and_pages_are_called_as_their_use_case() {
        for (method, route, named) in [
            (Method::POST, "/api/v1/auth/login", "login"),
            (Method::POST, "/login", "login"),
            (Method::GET, "/auth/me", "get_me"),
            (Method::GET, "/api/v1/users/me", "get_me"),
            (Method::DELETE, "/users/me", "delete_me"),
            (Method::HEAD, "/metrics", "read_metrics"),
            (Method::GET, "/verify-email", "verify_email"),
            (Method::POST, "/verify-email", "verify_email"),
            (Method::POST, "/reset-password", "confirm_password_reset"),
            (
                Method::DELETE,
                "/api/v1/auth/sessions/{id}",
                "revoke_session",
            ),
            (Method::GET, "/nowhere", ANY),
            (Method::GET, "", ANY),
        ] {
            assert_eq!(action(&method, route), named, "{route}");
        }
    }
}
