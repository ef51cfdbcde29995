//! The layers around every route, the web pages included. Their order is part of what they promise: see [`framed`].

mod access;
mod bounds;
pub mod classes;
mod cors;
mod framing;
pub mod idempotency;
pub mod media;
pub mod negotiate;
mod origin;
mod panics;
mod problems;
mod rate_limit;
mod refusals;
mod request_id;
mod security;
#[cfg(test)]
mod tests;
mod timeout;
pub mod traces;
mod transport;

pub use origin::Origin;

use super::settings::HttpSettings;
use crate::{
    domain::{audit::Refused, client::Client},
    services::{Class, Decision, Services},
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
};
use std::{pin::Pin, sync::Arc};
use tower::Layer;
use tower_http::{catch_panic::CatchPanicLayer, normalize_path::NormalizePathLayer};

/// What the layers ask of the use cases; small, so that each layer can be tested by itself.
#[derive(Clone)]
pub struct Hooks {
    pub new_request_id: Arc<dyn Fn() -> String + Send + Sync>,
    pub is_draining: Arc<dyn Fn() -> bool + Send + Sync>,
    pub check_rate: CheckRate,
    /// Counts an attempt past a limit for the audit trail.
    pub note_refusal: NoteRefusal,
    /// Tells the audit trail of a refusal that no use case has told of.
    pub record_refusal: RecordRefusal,
}

type CheckRate = Arc<dyn Fn(Class, String) -> Decided + Send + Sync>;
type Decided = Pin<Box<dyn Future<Output = Decision> + Send>>;
type RecordRefusal = Arc<dyn Fn(&'static str, Refused, Client) -> Recorded + Send + Sync>;
type Recorded = Pin<Box<dyn Future<Output = ()> + Send>>;
type NoteRefusal = Arc<dyn Fn(&'static str, &Client) + Send + Sync>;

impl From<&Services> for Hooks {
    fn from(services: &Services) -> Self {
        let [ids, drain, rates, counted, recorded] = std::array::from_fn(|_| services.clone());
        Self {
            new_request_id: Arc::new(move || ids.new_request_id()),
            is_draining: Arc::new(move || drain.is_draining()),
            check_rate: Arc::new(move |class, key| {
                let services = rates.clone();
                Box::pin(async move { services.check_rate(class, &key).await })
            }),
            note_refusal: Arc::new(move |action, client| counted.note_refusal(action, client)),
            record_refusal: Arc::new(move |action, refused, client| {
                let services = recorded.clone();
                Box::pin(async move {
                    services.record_refusal(action, refused, &client).await;
                })
            }),
        }
    }
}

/// The state of the layers.
#[derive(Clone)]
pub struct Frame {
    pub settings: Arc<HttpSettings>,
    pub hooks: Hooks,
}

/// Puts all layers around the routes. From the outside in:
///
/// | layer | stands there because |
/// |---|---|
/// | trailing slash | a route is looked for after it |
/// | `access` | gives the request its id, client and span, and sees the answer as it leaves |
/// | `security` | refusals, preflights and panics carry its headers, too |
/// | `framing` | who is heard by two readers in two ways gets nothing done, not even a preflight |
/// | `cors` | a front end must be able to read refusals; a preflight uses up nobody's limit |
/// | `problems` | puts the failures of everything below into words |
/// | `panics` | a panic becomes such a failure |
/// | `transport` | what came in clear gets nothing done |
/// | `bounds` | what is too large is refused before it counts |
/// | `refusals` | sees every refusal before it is put into words |
/// | `rate_limit` | a refusal costs nothing of what comes below |
/// | `timeout` | bounds the handler, the reading of the body included |
/// | body limit | for the extractors to enforce |
pub fn framed(routes: Router, frame: &Frame) -> Router {
    let routes = routes
        .fallback(problems::not_found)
        .layer(DefaultBodyLimit::max(frame.settings.body_limit))
        .layer(from_fn_with_state(frame.clone(), timeout::limit))
        .layer(from_fn_with_state(frame.clone(), rate_limit::limit))
        .layer(from_fn_with_state(frame.clone(), refusals::record))
        .layer(from_fn(bounds::limit))
        .layer(from_fn_with_state(frame.clone(), transport::check))
        .layer(CatchPanicLayer::custom(panics::answer))
        .layer(from_fn(problems::complete))
        .layer(from_fn_with_state(
            cors::layer(&frame.settings.allowed_origins),
            cors::apply,
        ))
        .layer(from_fn(framing::check))
        .layer(from_fn_with_state(frame.clone(), security::apply))
        .layer(from_fn_with_state(frame.clone(), access::observe));
    // A layer of a router runs after its routing, so this one needs a router of its own around it.
    Router::new().fallback_service(NormalizePathLayer::trim_trailing_slash().layer(routes))
}
