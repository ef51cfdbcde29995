//! Traces: one goes from the caller's request through the use case, its statements, its event and its mail, to a collector; none of
//! it tells of anybody, and nobody waits for the collector.

mod rounds;

use crate::support::{
    app::{ADA, PASSWORD},
    database::TestDatabase,
    people::BOB,
    process::Service,
    smtp::{Behaviour, SmtpServer},
};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value, trace::v1::Span,
};
use prost::Message as _;
use serde_json::json;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const REGISTER: &str = "/api/v1/auth/register";

type Batches = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// What a collector of OTLP gets.
struct Collector {
    url: String,
    batches: Batches,
}

impl Collector {
    async fn start() -> Self {
        let batches = Batches::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keep = async |State(batches): State<Batches>, headers: HeaderMap, body: Bytes| {
            batches.lock().unwrap().push((headers, body));
        };
        let routes = Router::new().route("/v1/traces", post(keep));
        let routes = routes.with_state(Arc::clone(&batches));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, batches }
    }

    fn spans(&self) -> Vec<Span> {
        let batches = self.batches.lock().unwrap();
        let requests = batches.iter().map(|(headers, body)| {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            ExportTraceServiceRequest::decode(body.clone()).unwrap()
        });
        let resources = requests.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    /// The spans of the caller's trace.
    fn traced(&self) -> Vec<Span> {
        let mut spans = self.spans();
        spans.retain(|span| hex(&span.trace_id) == TRACE);
        spans
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The only span of this name.
#[track_caller]
fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let first = found
        .next()
        .unwrap_or_else(|| panic!("no {name} in {names:?}"));
    assert!(found.next().is_none(), "two {name} in {names:?}");
    first
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|pair| pair.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{other:?}"),
    }
}

async fn register(service: &Service, trace: &str) -> u16 {
    let form = json!({ "email": BOB, "password": PASSWORD });
    let request = service.client.post(service.url(REGISTER)).json(&form);
    let answer = request.header("traceparent", trace).send().await.unwrap();
    answer.status().as_u16()
}

/// The parent's id of the span is the id of that one.
#[track_caller]
fn within(span: &Span, outer: &Span) {
    assert_eq!(
        hex(&span.parent_span_id),
        hex(&outer.span_id),
        "{} in {}",
        span.name,
        outer.name
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_a_token_that_is_not_from_memory_is_one_statement() {
    let (db, collector) = (TestDatabase::create().await, Collector::start().await);
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
    let service = Service::start(&db, &settings).await;
    let signed_in = service.sign_in(ADA).await;
    let token = signed_in["access_token"].as_str().unwrap();
    let me = service.client.get(service.url("/api/v1/users/me"));
    let me = me.header("traceparent", format!("00-{TRACE}-{CALLER}-01"));
    assert_eq!(me.bearer_auth(token).send().await.unwrap().status(), 200);
    service.stop().await;
    let spans = collector.traced();
    let statements = spans
        .iter()
        .filter(|span| attribute(span, "db.operation.name").is_some());
    assert_eq!(statements.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_from_the_request_to_the_statement_the_event_and_the_mail() {
    let db = TestDatabase::create().await;
    let collector = Collector::start().await;
    let server = SmtpServer::start(Behaviour::default()).await;
    let smtp = format!("smtp://127.0.0.1:{}", server.port());
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-team=accounts"),
        ("SMTP_URL", &smtp),
    ];
    let service = Service::start(&db, &settings).await;
    assert_eq!(
        register(&service, &format!("00-{TRACE}-{CALLER}-01")).await,
        201
    );
    while db
        .number("SELECT count(*) FROM outbox_mails WHERE status = 'sent'")
        .await
        == 0
    {
        tokio::task::yield_now().await;
    }
    service.stop().await;

    assert_eq!(collector.batches.lock().unwrap()[0].0["x-team"], "accounts");
    let spans = collector.traced();
    let request = named(&spans, &format!("POST {REGISTER}"));
    assert_eq!(hex(&request.parent_span_id), CALLER);
    assert_eq!(
        attribute(request, "http.request.method").as_deref(),
        Some("POST")
    );
    assert_eq!(attribute(request, "http.route").as_deref(), Some(REGISTER));
    assert_eq!(
        attribute(request, "http.response.status_code").as_deref(),
        Some("201")
    );
    let use_case = named(&spans, "register");
    within(use_case, request);
    let statement = named(&spans, "INSERT users");
    within(statement, use_case);
    assert_eq!(
        attribute(statement, "db.operation.name").as_deref(),
        Some("INSERT")
    );
    assert_eq!(
        attribute(statement, "db.collection.name").as_deref(),
        Some("users")
    );
    let event = named(&spans, "publish user.created");
    within(event, use_case);
    let mail = named(&spans, "queue verify_email");
    within(mail, use_case);
    within(named(&spans, "send_mail"), mail);
    let kept = db.texts("SELECT trace_parent FROM outbox_events WHERE type = 'user.created' AND trace_parent LIKE '%4bf92f3577b34da6a3ce929d0e0e4736%'");
    assert_eq!(
        kept.await,
        [format!("00-{TRACE}-{}-01", hex(&event.span_id))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_span_tells_of_a_person_or_holds_a_secret() {
    let db = TestDatabase::create().await;
    let collector = Collector::start().await;
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str())];
    let service = Service::start(&db, &endpoint).await;
    let id = service.sign_up(BOB).await;
    let ada = service.sign_in(ADA).await;
    let token = ada["access_token"].as_str().unwrap();
    for path in [
        format!("/api/v1/users/{id}"),
        "/api/v1/users?email=canary%40example.com".to_owned(),
        "/api/v1/users/search?q=canary".to_owned(),
        "/verify-email?token=canary".to_owned(),
        "/canary/canary".to_owned(),
    ] {
        service.get_as(token, &path).await;
    }
    let refresh = ada["refresh_token"].as_str().unwrap();
    let form = json!({ "refresh_token": refresh });
    service.post("/api/v1/auth/refresh", form).await.unwrap();
    let agent = "canary-agent/1.0";
    let insane = service.client.get(service.url("/health"));
    let insane = insane
        .header("user-agent", agent)
        .header("traceparent", "00-canary");
    insane.send().await.unwrap();
    service.stop().await;

    assert!(collector.spans().len() > 20);
    let secrets = [
        BOB,
        ADA,
        PASSWORD,
        "canary",
        "127.0.0.1",
        token,
        refresh,
        &id,
    ];
    for (_, body) in collector.batches.lock().unwrap().iter() {
        let text = String::from_utf8_lossy(body);
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in a span");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_caller_records_is_recorded_and_an_insane_trace_begins_anew() {
    let db = TestDatabase::create().await;
    let collector = Collector::start().await;
    let settings = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_TRACES_SAMPLER_ARG", "0"),
    ];
    let service = Service::start(&db, &settings).await;
    assert_eq!(
        register(&service, &format!("00-{TRACE}-{CALLER}-00")).await,
        201
    );
    assert_eq!(
        register(&service, &format!("00-{TRACE}-{CALLER}-01-x")).await,
        409
    );
    assert_eq!(
        register(&service, &format!("00-{TRACE}-{CALLER}-01")).await,
        409
    );
    service.stop().await;
    let spans = collector.spans();
    assert_eq!(collector.traced().len(), spans.len());
    assert_eq!(named(&spans, &format!("POST {REGISTER}")).kind, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_or_silent_holds_nobody_up() {
    let db = TestDatabase::create().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    for (collector, email) in [
        ("http://127.0.0.1:1", BOB),
        (silent.as_str(), "carol@example.com"),
    ] {
        let service = Service::start(&db, &[("OTEL_EXPORTER_OTLP_ENDPOINT", collector)]).await;
        service.sign_up(email).await;
        let begun = Instant::now();
        service.stop().await;
        assert!(
            begun.elapsed() < Duration::from_secs(6),
            "{:?}",
            begun.elapsed()
        );
    }
}
