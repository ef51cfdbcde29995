//! In production nothing is told or taken in clear: who reaches the proxy by `http://` is refused, and not redirected, so that
//! a client that would send its password so finds out at the first try (ASVS 4.1.2).

use super::{Frame, Origin, origin::Scheme};
use crate::http::problem::Problem;
use axum::{
    extract::{MatchedPath, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};

/// What balancers ask, however they do.
const PROBES: [&str; 3] = ["/health", "/livez", "/readyz"];

/// Refuses what a trusted proxy says it took by http.
pub async fn check(State(frame): State<Frame>, request: Request, next: Next) -> Response {
    let origin = request.extensions().get::<Origin>();
    let is_clear = origin.is_some_and(|origin| origin.forwarded == Some(Scheme::Http));
    let route = request.extensions().get::<MatchedPath>();
    let is_probe = route.is_some_and(|route| PROBES.contains(&route.as_str()));
    if frame.settings.production && is_clear && !is_probe {
        let detail = "The proxy took this request by http, where everybody on the way reads it.";
        return Problem::new(StatusCode::BAD_REQUEST, "https_required", detail).into_response();
    }
    next.run(request).await
}
