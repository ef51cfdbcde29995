//! All front doors behind one frame of layers. `GET /verify-email` belongs to two of them: browsers get the page, API
//! clients the answer.

use crate::{
    config::{Config, Docs, Origins},
    http::{
        self,
        middleware::{Frame, Hooks, framed, negotiate},
        settings::{self, HttpSettings},
    },
    services::Services,
    web::{self, WebState},
};
use axum::{
    Router,
    extract::{Request, State},
    handler::Handler as _,
    response::Response,
    routing::get,
};
use std::sync::Arc;

/// The router of the public address.
pub(super) fn router(config: &Config, services: &Services) -> Router {
    let web = WebState {
        services: services.clone(),
        host: host(config).into(),
        entropy: services.entropy.clone(),
    };
    let shared = Router::new()
        .route("/verify-email", get(verify_email))
        .route("/auth/verify-email", get(verify_email))
        .with_state(web.clone());
    let frame = frame(config, services);
    let routes = http::routes(services).merge(web::routes(&web)).merge(shared);
    framed(routes, &frame)
}

/// The name by which people know the deployment: host and, where it is not the usual one, port.
fn host(config: &Config) -> String {
    let url = &config.http.public_url;
    let host = url.host_str().unwrap_or("localhost");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

pub(super) fn frame(config: &Config, services: &Services) -> Frame {
    let http = &config.http;
    let settings = HttpSettings {
        production: config.is_production(),
        public_url: http.public_url.clone(),
        allowed_origins: match &http.allowed_origins {
            Origins::Any => settings::Origins::Any,
            Origins::Listed(origins) => settings::Origins::Listed(origins.clone()),
        },
        trusted_proxies: http.trusted_proxies.clone(),
        metrics_token: http.metrics_token.clone(),
        docs: match http.docs {
            Docs::Public => settings::Docs::Public,
            Docs::Admin => settings::Docs::Admin,
            Docs::Off => settings::Docs::Off,
        },
        request_timeout: http.request_timeout,
        body_limit: HttpSettings::BODY_LIMIT,
    };
    Frame { settings: Arc::new(settings), hooks: Hooks::from(services) }
}

async fn verify_email(State(state): State<WebState>, request: Request) -> Response {
    // The first of equals wins: who takes anything gets JSON.
    let best = negotiate::best(request.headers(), &["application/json", "text/html"]);
    if best == Some("text/html") {
        return web::show_verify_email(&state, request.uri());
    }
    http::verify_email_get.call(request, state.services).await
}
