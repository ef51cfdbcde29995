//! The conventions of API.md, each on a router of small handlers within the whole frame.

use super::{Decided, Frame, Hooks, framed, negotiate};
use crate::{
    domain::error::{Error, Refusal, Violation},
    http::{
        extract::{Caller, Json, Path},
        settings::{Docs, HttpSettings, Origins},
    },
    services::{Class, Decision},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header},
    middleware::from_fn,
    response::Redirect,
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt;

mod bodies;
mod headers;
mod limits;
mod logs;
mod problems;

/// A router to be asked, and what it told the audit trail.
struct Door {
    router: Router,
    refusals: Arc<AtomicU32>,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

fn settings() -> HttpSettings {
    HttpSettings {
        production: false,
        public_url: "http://localhost:8001".parse().unwrap(),
        allowed_origins: Origins::Any,
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        metrics_token: None,
        docs: Docs::Public,
        request_timeout: Duration::from_secs(30),
        body_limit: HttpSettings::BODY_LIMIT,
    }
}

/// Two requests of each address and class are allowed.
fn two_each() -> impl Fn(Class, String) -> Decided {
    let seen = std::sync::Mutex::new(std::collections::HashMap::new());
    move |class, key| {
        let mut seen = seen.lock().unwrap();
        let count: &mut u32 = seen.entry((class, key)).or_default();
        *count += 1;
        let decision = Decision {
            allowed: *count <= 2,
            limit: 2,
            window: Duration::from_mins(1),
            remaining: 2_u32.saturating_sub(*count),
            reset: Duration::from_millis(30_500),
            retry_after: (*count > 2).then_some(Duration::from_millis(200)),
        };
        Box::pin(async move { decision })
    }
}

fn routes() -> Router {
    let echo = |Json(body): Json<Value>| async move { Json(body) };
    let caller = |Caller(client): Caller| async move {
        Json(
            json!({"ip": client.ip, "user_agent": client.user_agent, "request_id": client.request_id}),
        )
    };
    Router::new()
        .route("/echo", post(echo))
        .route("/caller", get(caller))
        .route("/login", post(|| async { StatusCode::NO_CONTENT }))
        .route("/health", get(|| async { "up" }))
        .route("/panic", get(|| async { panic_with("canary@example.org") }))
        .route("/slow", get(std::future::pending::<StatusCode>))
        .route("/things/{id}", get(|Path(_): Path<uuid::Uuid>| async {}))
        .route(
            "/page",
            get(|| async { (StatusCode::GONE, axum::response::Html("<p>")) }),
        )
        .route(
            "/invalid",
            get(|| async { Error::Invalid(vec![Violation::required("email")]) }),
        )
        .route(
            "/internal",
            get(|| async { Error::internal(anyhow::anyhow!("canary")) }),
        )
        .route("/bare/{status}", get(bare))
        .route("/moved", get(|| async { Redirect::to("/health") }))
        .route(
            "/kept",
            get(|| async { [("cache-control", "public, max-age=300")] }),
        )
        .route("/forgot-password", post(|| async {}))
        .route("/no-token", get(|| async { Error::from(Refusal::NoToken) }))
        .route(
            "/old-token",
            get(|| async { Error::from(Refusal::SessionEnded) }),
        )
        .route_layer(from_fn(negotiate::json))
}

/// As the framework's own rejections look.
async fn bare(uri: axum::http::Uri) -> (StatusCode, &'static str) {
    let status = uri.path().rsplit('/').next().unwrap().parse().unwrap();
    (StatusCode::from_u16(status).unwrap(), "canary")
}

fn panic_with(message: &str) -> StatusCode {
    panic!("{message}")
}

impl Door {
    fn new() -> Self {
        Self::with(|_, _| {})
    }

    fn with(change: impl FnOnce(&mut HttpSettings, &mut Hooks)) -> Self {
        let refusals = Arc::new(AtomicU32::new(0));
        let noted = Arc::clone(&refusals);
        let mut hooks = Hooks {
            new_request_id: Arc::new(|| "made".to_owned()),
            is_draining: Arc::new(|| false),
            check_rate: Arc::new(|_, _| Box::pin(async { Decision::unlimited() })),
            note_refusal: Arc::new(move |_, _| {
                noted.fetch_add(1, Ordering::SeqCst);
            }),
            record_refusal: Arc::new(|_, _, _| Box::pin(async {})),
        };
        let mut settings = settings();
        change(&mut settings, &mut hooks);
        let settings = Arc::new(settings);
        let router = framed(routes(), &Frame { settings, hooks });
        Self { router, refusals }
    }

    /// A door at which two requests of each address and class are allowed.
    fn limited() -> Self {
        Self::with(|_, hooks| hooks.check_rate = Arc::new(two_each()))
    }

    async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(Method::GET, path, headers, Body::empty()).await
    }

    /// GET with one header field of any bytes.
    async fn get_raw(&self, path: &str, name: &str, value: &[u8]) -> Answer {
        let request = Request::get(path).header(name, value);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, value.as_bytes());
        }
        self.send(request.body(body).unwrap()).await
    }

    async fn send(&self, mut request: Request<Body>) -> Answer {
        let host = request.headers_mut().entry(header::HOST);
        host.or_insert(HeaderValue::from_static("localhost:8001"));
        let peer = SocketAddr::from(([10, 0, 0, 1], 5000));
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and code of a problem in its proper form.
    fn problem(&self) -> (u16, &str) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(self.body["status"], self.status.as_u16());
        assert_eq!(
            self.body["request_id"].as_str(),
            self.header("x-request-id")
        );
        assert!(
            self.body["type"]
                .as_str()
                .unwrap()
                .starts_with("/problems/")
        );
        assert!(!self.body["title"].as_str().unwrap().is_empty());
        assert!(!self.body["detail"].as_str().unwrap().is_empty());
        (self.status.as_u16(), self.body["code"].as_str().unwrap())
    }
}
