//! Logs and metrics of the process. Both are installed once; later calls change nothing, so tests may call them freely.
//! A JSON line is one flat object: time, level, target, message, then the fields of the spans and of the event.

mod panics;
pub mod traces;

use crate::config::{LogConfig, LogFormat};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{
    fmt,
    io::{self, IsTerminal},
    sync::OnceLock,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormattedFields, MakeWriter,
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Upper bounds of the histograms of seconds: a cached read at one end, a request that times out at the other.
const SECONDS: [f64; 15] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// Starts logging to standard output, panics included.
pub fn init(settings: &LogConfig) {
    let colours = io::stdout().is_terminal();
    panics::log_places_only();
    // A second call fails, and the first one's logging goes on.
    let _ = subscriber(settings, io::stdout, colours).try_init();
}

/// The process's metrics; whoever holds the handle also calls its `run_upkeep` every few seconds.
pub fn metrics_recorder() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
                .unwrap_or_else(|_| PrometheusBuilder::new())
                .build_recorder();
            let handle = recorder.handle();
            // Only a recorder of somebody else can stand in the way, and then ours stays empty.
            let _ = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}

fn subscriber<W>(
    settings: &LogConfig,
    writer: W,
    colours: bool,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    match settings.format {
        LogFormat::Pretty => Box::new(builder.with_ansi(colours).finish()),
        LogFormat::Json => Box::new(
            builder
                .with_ansi(false)
                .fmt_fields(JsonFields::new())
                .event_format(JsonLine)
                .finish(),
        ),
    }
}

/// One flat JSON object a line.
struct JsonLine;

/// The order of the names in a line.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: &'a str,
    level: &'a str,
    target: &'a str,
    message: &'a str,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> tracing_subscriber::fmt::FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut fields = Fields::default();
        for span in context
            .event_scope()
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(text) = span.extensions().get::<FormattedFields<N>>()
                && let Ok(Value::Object(of_span)) = serde_json::from_str(text)
            {
                fields.0.extend(of_span);
            }
        }
        event.record(&mut fields);
        let Fields(mut fields) = fields;

        let metadata = event.metadata();
        let message = text_of(fields.remove("message"));
        // What comes through the `log` crate carries its target as a field.
        let foreign = fields
            .remove("log.target")
            .map(|target| text_of(Some(target)));
        for name in ["timestamp", "level", "target"] {
            if let Some(value) = fields.remove(name) {
                fields.insert(format!("field.{name}"), value);
            }
        }
        let line = Line {
            timestamp: &timestamp,
            level: metadata.level().as_str(),
            target: foreign.as_deref().unwrap_or(metadata.target()),
            message: &message,
            fields,
        };
        let line = serde_json::to_string(&line).map_err(|_| fmt::Error)?;
        writeln!(writer, "{line}")
    }
}

fn text_of(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// Gathers an event's fields; a later one of the same name wins.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(super) fn logged(format: LogFormat, level: &str, act: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let settings = LogConfig {
            level: level.to_owned(),
            format,
        };
        let writer = buffer.clone();
        let subscriber = subscriber(&settings, move || writer.clone(), false);
        tracing::subscriber::with_default(subscriber, act);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_json_line_is_one_flat_object_with_the_fields_of_its_spans() {
        let text = logged(LogFormat::Json, "info", || {
            let outer = tracing::info_span!("request", request_id = "r-1", method = "GET");
            let _outer = outer.enter();
            let inner = tracing::info_span!("job", attempt = 2);
            let _inner = inner.enter();
            tracing::info!(status = 200, "done\nindeed");
        });
        let line: Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert_eq!(line["message"], "done\nindeed");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["request_id"], "r-1");
        assert_eq!(line["attempt"], 2);
        assert_eq!(line["status"], 200);
        assert_eq!(line["target"], "usher::telemetry::tests");
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(timestamp.ends_with('Z'));
        assert!(chrono::DateTime::parse_from_rfc3339(timestamp).is_ok());
    }

    #[test]
    fn a_field_cannot_pass_for_the_head_of_a_line() {
        let text = logged(LogFormat::Json, "info", || {
            tracing::info!(level = "forged", target = "forged", "x");
        });
        let line: Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["field.level"], "forged");
        assert_eq!(text.matches("\"level\"").count(), 1);
    }

    #[test]
    fn the_level_holds_per_module() {
        let count = |level: &str| {
            let text = logged(LogFormat::Pretty, level, || {
                tracing::debug!("fine");
                tracing::warn!("coarse");
            });
            text.lines().count()
        };
        assert_eq!(count("info"), 1);
        assert_eq!(count("error,usher::telemetry=debug"), 2);
        assert_eq!(count("debug,usher::telemetry=off"), 0);
    }

    #[test]
    fn pretty_lines_without_a_terminal_hold_no_escapes() {
        let text = logged(LogFormat::Pretty, "info", || tracing::info!("plain"));
        assert!(text.contains("plain"));
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn both_may_be_installed_again() {
        let settings = LogConfig {
            level: "off".to_owned(),
            format: LogFormat::Json,
        };
        init(&settings);
        init(&settings);
        let first = metrics_recorder();
        let second = metrics_recorder();
        metrics::histogram!("usher_telemetry_test_seconds").record(0.003);
        for handle in [first, second] {
            let text = handle.render();
            assert!(text.contains("usher_telemetry_test_seconds_bucket{le=\"0.005\"} 1"));
            assert!(text.contains("usher_telemetry_test_seconds_bucket{le=\"0.0025\"} 0"));
        }
    }
}
