//! The spans of a request: one for its answer, by its route (semantic conventions of HTTP), and within it one for the use case,
//! by the name that the API's document gives it. A caller's trace goes on here if its `traceparent` is sane.

use crate::{
    domain::trace_parent::TraceParent,
    services::tracer::{Side, Span},
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, StatusCode},
    middleware::Next,
    response::Response,
};
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// Use cases by method and route.
pub type UseCases = Arc<HashMap<String, String>>;

/// The span of a request.
pub fn begin(method: &'static str, route: &str, headers: &HeaderMap) -> Span {
    let span = Span::begin(format!("{method} {route}"), Side::Server, parent(headers));
    span.note("http.request.method", method);
    span.note("http.route", route.to_owned());
    span
}

/// Ends it with the answer.
pub fn end(span: &Span, status: StatusCode) {
    span.note("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.fail();
    }
}

/// The place in the caller's trace; none if it is not the only one, or insane.
fn parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut all = headers.get_all("traceparent").iter();
    let (first, second) = (all.next()?, all.next());
    second
        .is_none()
        .then(|| first.to_str().ok())?
        .and_then(TraceParent::parse)
}

/// The names of the document's operations.
pub fn use_cases(document: &Value) -> UseCases {
    let mut names = HashMap::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            if let Some(name) = operation["operationId"].as_str() {
                names.insert(key(&method.to_ascii_uppercase(), path), name.to_owned());
            }
        }
    }
    Arc::new(names)
}

/// Puts a span around what a route does.
pub async fn of_use_case(State(names): State<UseCases>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let name = route.and_then(|route| names.get(&key(request.method().as_str(), route.as_str())));
    let Some(name) = name.cloned() else {
        return next.run(request).await;
    };
    Span::begin(name, Side::Internal, None)
        .around(next.run(request))
        .await
}

fn key(method: &str, path: &str) -> String {
    format!("{method} {path}")
}
