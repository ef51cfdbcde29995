//! Operations about the service itself: what it is, whether it is well, its figures, keys and documentation. None has a
//! service method of its own name; they only report.

mod docs;
mod fixed;
mod health;
mod operator;
mod service;
#[cfg(test)]
mod tests;

use super::{
    middleware::negotiate,
    settings::{Docs, HttpSettings},
};
use crate::{domain::error::Error, services::Services};
use axum::{Router, extract::FromRef, middleware::from_fn, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What the operations report from.
#[derive(Clone)]
pub struct System {
    pub services: Services,
    pub settings: Arc<HttpSettings>,
    pub metrics: PrometheusHandle,
    /// Whether figures are given without a token: in development, and on the operators' own listener.
    pub is_open: bool,
}

impl FromRef<System> for Services {
    fn from_ref(system: &System) -> Self {
        system.services.clone()
    }
}

/// The operations that the document describes.
fn described() -> OpenApiRouter<System> {
    OpenApiRouter::default()
        .routes(routes!(service::describe_service))
        .routes(routes!(service::describe_problem))
        .routes(routes!(service::list_keys))
        .routes(routes!(health::check_health))
        .routes(routes!(health::check_liveness))
        .routes(routes!(health::check_readiness))
        .routes(routes!(health::read_database_status))
        .route_layer(from_fn(negotiate::json))
        .routes(routes!(health::read_metrics))
        .routes(routes!(service::find_password_page))
}

/// All of them, for the public listener.
pub fn routes(system: System) -> Router {
    let docs = match system.settings.docs {
        Docs::Off => Router::new(),
        Docs::Public | Docs::Admin => docs::routes(),
    };
    Router::from(described()).merge(docs).with_state(system)
}

/// Health and figures only, for the operators' listener.
pub fn operator_routes(system: System) -> Router {
    Router::new()
        .route("/health", get(health::check_health))
        .route("/livez", get(health::check_liveness))
        .route("/readyz", get(health::check_readiness))
        .route("/metrics", get(health::read_metrics))
        .route("/db/status", get(health::read_database_status))
        .with_state(System {
            is_open: true,
            ..system
        })
}

/// What the document says of them.
pub fn document() -> OpenApi {
    described().into_openapi()
}

/// A part of the service that does not exist here.
fn nothing(what: &'static str) -> Error {
    Error::NotFound(what)
}
