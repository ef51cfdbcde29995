//! What operators see of a request: figures and one line, without anything that the client sent.

use super::*;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{io, sync::Mutex};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn a_request_leaves_one_line_without_what_was_sent() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let sent = [
        ("user-agent", "canary"),
        ("authorization", "Bearer canary"),
        ("cookie", "canary"),
    ];
    let door = Door::new();
    door.get_with("/things/canary?token=canary", &sent).await;
    door.get_with("/canary", &sent).await;
    let text = lines.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        !text.contains("canary") && !text.contains("10.0.0.1"),
        "{text}"
    );
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(line["fields"]["route"], "/things/{id}");
    assert_eq!(line["fields"]["status"], 404);
    assert_eq!(line["span"]["request_id"], "made");
}

#[tokio::test]
async fn an_internal_error_is_logged_once_with_its_cause() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().json().with_writer(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    Door::new().get("/internal").await;
    let text = lines.text();
    assert_eq!(text.matches("ERROR").count(), 1, "{text}");
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(line["fields"]["error"], "canary");
    assert_eq!(line["span"]["request_id"], "made");
}

#[tokio::test]
async fn requests_are_counted_by_template_and_unknown_paths_as_one() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let door = Door::new();
    for path in ["/health", "/health?x=1", "/a", "/b"] {
        door.get(path).await;
    }
    let text = handle.render();
    for line in [
        "usher_http_requests_total{method=\"GET\",route=\"/health\",status=\"200\"} 2",
        "usher_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 2",
        "usher_http_request_seconds_count{method=\"GET\",route=\"/health\"} 2",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_failure_of_ours_stands_out_in_the_log_and_a_refusal_does_not() {
    for (path, level) in [
        ("/bare/503", "WARN"),
        ("/bare/429", "INFO"),
        ("/panic", "WARN"),
    ] {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt().json().with_writer(lines.clone());
        let _guard = tracing::subscriber::set_default(subscriber.finish());
        Door::new().get(path).await;
        let line: Value = serde_json::from_str(lines.text().lines().last().unwrap()).unwrap();
        assert_eq!(line["level"], level, "{path}");
        assert_eq!(line["fields"]["message"], "answered");
    }
}
