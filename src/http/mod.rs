//! Floor 3, front door for programs: the JSON API. This file is its table of contents; a handler takes the request
//! apart, calls one service method and shapes the reply.

mod asyncapi;
mod collection;
mod compat;
mod error;
pub(crate) mod extract;
mod links;
mod middleware;
mod openapi;
mod problem;
mod problem_kinds;
mod responses;
mod settings;
mod system;
mod v1;
mod versioned;

pub use asyncapi::document as asyncapi_document;
pub use middleware::{Frame, Hooks, framed, negotiate};
pub use openapi::{as_3_0, document};
pub use settings::{Docs, HttpSettings, Origins};
pub use v1::email_verification::verify_email_get;

use crate::services::{Services, tracer};
use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
};
use metrics_exporter_prometheus::PrometheusHandle;
use middleware::{idempotency, media, traces};
use std::sync::Arc;
use system::System;

/// Everything that HTTP needs from the wiring.
#[derive(Clone)]
pub struct Http {
    pub services: Services,
    pub settings: Arc<HttpSettings>,
    pub metrics: PrometheusHandle,
}

impl Http {
    /// The public listener: these operations and the other front door's pages, all within one frame.
    pub fn router(&self, pages: Router) -> Router {
        let mut api = v1::routes().merge(compat::routes());
        if tracer::is_on() {
            let names = traces::use_cases(&openapi::document());
            api = api.route_layer(from_fn_with_state(names, traces::of_use_case));
        }
        let api = api
            .route_layer(from_fn_with_state(self.services.clone(), idempotency::once))
            .route_layer(from_fn(media::json_only))
            .route_layer(from_fn(negotiate::json))
            .merge(v1::routes_in_many_forms())
            .with_state(self.services.clone());
        let routes = system::routes(self.system()).merge(api).merge(pages);
        framed(routes, &self.frame())
    }

    /// The operators' listener: health and figures, without a token.
    pub fn operator_router(&self) -> Router {
        framed(system::operator_routes(self.system()), &self.frame())
    }

    fn system(&self) -> System {
        System {
            services: self.services.clone(),
            settings: Arc::clone(&self.settings),
            metrics: self.metrics.clone(),
            is_open: !self.settings.production,
        }
    }

    fn frame(&self) -> Frame {
        Frame {
            settings: Arc::clone(&self.settings),
            hooks: Hooks::from(&self.services),
        }
    }
}
