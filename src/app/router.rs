//! All front doors behind one frame of layers. `GET /verify-email` belongs to two of them: browsers get the page, API
//! clients the answer.

use crate::{
    config::{self, Config},
    http::{self, Http, HttpSettings, negotiate},
    services::Services,
    telemetry,
    web::{self, WebState},
};
use axum::{
    Router,
    extract::{Request, State},
    handler::Handler as _,
    http::{HeaderValue, Method, header},
    response::Response,
    routing::get,
};
use std::sync::Arc;

/// The routers of the public address and of the operators' one.
pub(super) fn routers(config: &Config, services: &Services) -> (Router, Router) {
    let web = WebState {
        services: services.clone(),
        host: host(config).into(),
        origin: config.http.public_origin().into(),
        entropy: services.entropy.clone(),
    };
    let shared = Router::new()
        .route("/verify-email", get(verify_email))
        .route("/auth/verify-email", get(verify_email))
        .with_state(web.clone());
    let http = Http {
        services: services.clone(),
        settings: Arc::new(settings(config)),
        metrics: telemetry::metrics_recorder(),
    };
    (
        http.router(web::routes(&web).merge(shared)),
        http.operator_router(),
    )
}

/// The name by which people know the deployment: host and, where it is not the usual one, port.
fn host(config: &Config) -> String {
    let url = &config.http.public_url;
    let host = url.host_str().unwrap_or("localhost");
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn settings(config: &Config) -> HttpSettings {
    let http = &config.http;
    HttpSettings {
        production: config.is_production(),
        public_url: http.public_url.clone(),
        allowed_origins: match &http.allowed_origins {
            config::Origins::Any => http::Origins::Any,
            config::Origins::Listed(origins) => http::Origins::Listed(origins.clone()),
        },
        trusted_proxies: http.trusted_proxies.clone(),
        metrics_token: http.metrics_token.clone(),
        docs: match http.docs {
            config::Docs::Public => http::Docs::Public,
            config::Docs::Admin => http::Docs::Admin,
            config::Docs::Off => http::Docs::Off,
        },
        request_timeout: http.request_timeout,
        body_limit: HttpSettings::BODY_LIMIT,
    }
}

/// What `/verify-email` is to be had as; the first of equals wins, and who takes anything gets JSON.
const OFFERS: [&str; 3] = ["application/json", "text/html", "application/problem+json"];

async fn verify_email(State(state): State<WebState>, request: Request) -> Response {
    let best = negotiate::best(request.headers(), &OFFERS);
    // HEAD is routed here, too (a mail scanner's, perhaps); it must not use the link up, and the page never does.
    if best == Some("text/html") || request.method() == Method::HEAD {
        return by_accept(web::show_verify_email(&state, request.uri()).await);
    }
    if best.is_none() {
        let offers = "This is to be had as application/json and as text/html.";
        return by_accept(negotiate::not_acceptable(offers));
    }
    by_accept(http::verify_email_get.call(request, state.services).await)
}

/// Says that `Accept` chose between this answer and another (RFC 9110, section 12.5.5).
fn by_accept(mut response: Response) -> Response {
    let accept = HeaderValue::from_static("accept");
    response.headers_mut().append(header::VARY, accept);
    response
}
