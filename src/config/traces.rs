//! Where traces go, if anywhere.

use super::{
    reader::{Reader, items},
    setting::{Fallback, Setting},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        Fallback::Unset,
        "Collector of traces by OTLP over HTTP (protobuf), such as `http://localhost:4318`; without it none are made.",
    ),
    Setting::secret(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "Headers for the collector, `name=value` separated by commas.",
    ),
    Setting::new(
        "OTEL_SERVICE_NAME",
        Fallback::Fixed("usher"),
        "Name of this service in traces.",
    ),
    Setting::new(
        "OTEL_TRACES_SAMPLER_ARG",
        Fallback::Fixed("1"),
        "Share of the traces begun here that are recorded, from 0 to 1; a trace begun by a caller is recorded as the caller does.",
    ),
];

/// How traces leave.
#[derive(Debug, Clone)]
pub struct TracesConfig {
    pub endpoint: Url,
    pub headers: Vec<(String, SecretString)>,
    pub service: String,
    /// From 0 to 1.
    pub share: f64,
}

impl TracesConfig {
    /// None without an endpoint.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let endpoint = reader.parsed(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "a URL such as http://localhost:4318",
            super::reader::parse_web_url,
        );
        let headers = read_headers(reader);
        let service = reader.text("OTEL_SERVICE_NAME").unwrap_or_default();
        let share = reader.parsed("OTEL_TRACES_SAMPLER_ARG", "a number from 0 to 1", |text| {
            text.parse()
                .ok()
                .filter(|share| (0.0..=1.0).contains(share))
        });
        Some(Self {
            endpoint: endpoint?,
            headers,
            service,
            share: share.unwrap_or(1.0),
        })
    }
}

fn read_headers(reader: &mut Reader) -> Vec<(String, SecretString)> {
    let Some(text) = reader.secret("OTEL_EXPORTER_OTLP_HEADERS") else {
        return Vec::new();
    };
    let headers: Option<Vec<_>> = items(text.expose_secret()).map(header).collect();
    headers.unwrap_or_else(|| {
        let form = "must be of the form name=value,name=value";
        reader.refuse("OTEL_EXPORTER_OTLP_HEADERS", form);
        Vec::new()
    })
}

fn header(item: &str) -> Option<(String, SecretString)> {
    let (name, value) = item.split_once('=')?;
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let (name, value) = (name.trim(), value.trim());
    let sane = !name.is_empty() && name.bytes().all(is_name) && !value.is_empty();
    sane.then(|| (name.to_owned(), SecretString::from(value)))
}
