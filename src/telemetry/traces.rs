//! Sends spans to a collector (OTLP over HTTP, protobuf) from a thread of its own, in batches. When the collector is away spans
//! are dropped; nobody waits for it.

use crate::{config::TracesConfig, infra::tracer};
use anyhow::Context as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use secrecy::ExposeSecret as _;
use std::{collections::HashMap, pin::Pin, time::Duration};
use tokio::runtime::Handle;

/// How long a batch may be on its way; the end of the program waits for the last one no longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is sent at the end, and how often.
const BEAT: Duration = Duration::from_secs(2);

/// Traces on their way.
pub struct Traces(SdkTracerProvider);

/// Switches traces on; none if no collector is configured.
pub fn start(config: Option<&TracesConfig>) -> anyhow::Result<Option<Traces>> {
    let Some(config) = config else {
        return Ok(None);
    };
    // A second call fails, and the first one's choice stays.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = Post {
        client: reqwest::Client::builder().timeout(PATIENCE).build()?,
        runtime: Handle::current(),
    };
    let headers = config.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
    let endpoint = config.endpoint.as_str().trim_end_matches('/');
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_timeout(PATIENCE)
        .with_headers(headers.collect::<HashMap<_, _>>())
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT cannot be used")?;
    let batches = BatchConfigBuilder::default()
        .with_scheduled_delay(BEAT)
        .build();
    let resource = Resource::builder_empty()
        .with_service_name(config.service.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let sampler = Sampler::TraceIdRatioBased(config.share);
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(sampler)))
        .with_resource(resource)
        .with_span_processor(
            BatchSpanProcessor::builder(exporter)
                .with_batch_config(batches)
                .build(),
        )
        .build();
    global::set_tracer_provider(provider.clone());
    tracer::switch_on();
    Ok(Some(Traces(provider)))
}

impl Traces {
    /// Sends what is left, and waits no longer than [`PATIENCE`] for that.
    pub async fn stop(self) {
        let flushed =
            tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(PATIENCE)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

/// The client of the exporter's thread, whose requests run where everything else does.
#[derive(Debug)]
struct Post {
    client: reqwest::Client,
    runtime: Handle,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Post {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> Answer<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let (head, body) = request.into_parts();
            let url = head.uri.to_string();
            let request = client.request(head.method, url).headers(head.headers);
            let answer = request.body(body).send().await?;
            let status = answer.status();
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            Ok(response)
        });
        Box::pin(async move { sent.await? })
    }
}
