//! The outermost layer: gives the request its id, client and span; logs and counts its answer. Route templates only,
//! never the path as sent or its query, which may hold tokens; no address and no user agent.

use super::{
    Frame, Origin,
    request_id::{self, X_REQUEST_ID},
    traces,
};
use crate::domain::client::Client;
use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, Version, header},
    middleware::Next,
    response::Response,
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tracing::{Instrument, field::Empty};

/// Gives the request what the other layers and the handlers ask for, and tells of its answer.
pub async fn observe(State(frame): State<Frame>, mut request: Request, next: Next) -> Response {
    let id = request_id::sent(request.headers()).unwrap_or_else(|| (frame.hooks.new_request_id)());
    let answered = Answered::to(&request);
    introduce(&frame, &mut request, &id);
    let span =
        tracing::info_span!("http.request", request_id = %id, user_id = Empty, trace_id = Empty);
    let traced = traces::begin(answered.method, &answered.route, request.headers());
    if let Some(place) = traced.place() {
        span.record("trace_id", format!("{:032x}", place.trace));
    }
    let response = traced.around(next.run(request).instrument(span.clone()));
    let mut response = response.await;
    traces::end(&traced, response.status());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    if answered.is_http_1 && (frame.hooks.is_draining)() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    span.in_scope(|| answered.with(response.status()));
    response
}

/// Notes who asks, for the limits, the audit trail and the handlers.
fn introduce(frame: &Frame, request: &mut Request, id: &str) {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let origin = Origin::of(
        peer.map(|ConnectInfo(address)| address.ip()),
        request.headers(),
        &frame.settings.trusted_proxies,
    );
    let user_agent = request.headers().get(header::USER_AGENT);
    let user_agent = user_agent.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let client = Client::new(origin.ip, user_agent.as_deref(), id.to_owned());
    request.extensions_mut().insert(origin);
    request.extensions_mut().insert(client);
}

/// What is kept of a request until it is answered.
struct Answered {
    method: &'static str,
    route: String,
    is_http_1: bool,
    started: Instant,
}

impl Answered {
    fn to(request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>();
        Self {
            method: known(request.method()),
            route: route.map_or("unmatched", MatchedPath::as_str).to_owned(),
            is_http_1: request.version() <= Version::HTTP_11,
            started: Instant::now(),
        }
    }

    fn with(self, status: StatusCode) {
        let Self { method, route, .. } = self;
        let time = self.started.elapsed();
        let status = status.as_u16();
        let latency_ms = millis(time);
        if status >= 500 {
            tracing::warn!(method, route, status, latency_ms, "answered");
        } else {
            tracing::info!(method, route, status, latency_ms, "answered");
        }
        let labels = [("method", method.to_owned()), ("route", route)];
        metrics::histogram!("usher_http_request_seconds", &labels).record(time);
        let [method, route] = labels;
        let labels = [method, route, ("status", status.to_string())];
        metrics::counter!("usher_http_requests_total", &labels).increment(1);
    }
}

/// Milliseconds to three places.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// The method's name; one name for all that nobody has heard of, so that they cannot fill the metrics.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
