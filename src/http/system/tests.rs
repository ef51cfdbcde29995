//! What the system tells, and to whom: over a real database in a folder of its own.

mod figures;
mod pages;
mod probes;

use super::*;
use crate::{
    app::{self, Means},
    config::Config,
    domain::{client::Client, email::EmailAddress, password::Password},
    http::settings::Origins,
    services::login::Identifier,
};
use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use secrecy::SecretString;
use tempfile::TempDir;
use tower::ServiceExt as _;

const METRICS_TOKEN: &str = "a-token-for-metrics-of-some-length";
const PASSWORD: &str = "Correct-Horse-Battery-9";

struct Bench {
    system: System,
    _folder: TempDir,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Bench {
    async fn new(production: bool, docs: Docs) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().to_str().unwrap();
        let database = format!("sqlite://{data}/usher.db");
        let pairs = [
            ("DATA_DIR", data),
            ("DATABASE_URL", &database),
            ("HASH_MEMORY_KIB", "8"),
        ];
        let config = Config::for_tests(&pairs).unwrap();
        let services = app::services(&config, Means::default(), true).await;
        let settings = HttpSettings {
            production,
            public_url: config.http.public_url.clone(),
            allowed_origins: Origins::Any,
            trusted_proxies: Vec::new(),
            metrics_token: Some(SecretString::from(METRICS_TOKEN)),
            docs,
            request_timeout: config.http.request_timeout,
            body_limit: HttpSettings::BODY_LIMIT,
        };
        let services = services.unwrap();
        services.make_missing_signing_key().await.unwrap();
        let system = System {
            services,
            settings: Arc::new(settings),
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            is_open: !production,
        };
        Self {
            system,
            _folder: folder,
        }
    }

    /// The access token of a new admin.
    async fn admin_token(&self) -> String {
        let services = &self.system.services;
        let client = Client::new(None, None, "a-request".to_owned());
        let email = EmailAddress::parse("ada@example.com").unwrap();
        let password = Password::parse(PASSWORD).unwrap();
        let made = services
            .create_admin(email.clone(), password.clone(), &client)
            .await;
        made.unwrap();
        let who = Identifier::Email(email);
        let tokens = services.login(&who, password, &client).await;
        tokens.unwrap().access_token
    }

    async fn get(&self, path: &str, token: Option<&str>) -> Answer {
        let mut request = Request::get(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let routes = routes(self.system.clone());
        ask(routes, request.body(Body::empty()).unwrap()).await
    }

    /// Asks again with the validator of the first answer.
    async fn get_known(&self, path: &str, etag: &str) -> Answer {
        let request = Request::get(path).header("if-none-match", etag);
        let routes = routes(self.system.clone());
        ask(routes, request.body(Body::empty()).unwrap()).await
    }

    async fn get_as_operator(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        ask(operator_routes(self.system.clone()), request).await
    }
}

async fn ask(routes: Router, request: Request<Body>) -> Answer {
    let (parts, body) = routes.oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}
