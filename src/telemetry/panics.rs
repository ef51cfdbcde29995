//! What a panic leaves in the log: where it happened. Its message is left out, since it may quote data.

use std::panic::{self, Location};

/// Takes the place of the standard hook, which prints the message to standard error.
pub fn log_places_only() {
    panic::set_hook(Box::new(|panic| log(panic.location())));
}

/// One line; within a request it lies in the request's span.
fn log(place: Option<&Location<'_>>) {
    let file = place.map_or("unknown", Location::file);
    let line = place.map_or(0, Location::line);
    tracing::error!(file, line, "a thread panicked");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::LogFormat, telemetry::tests::logged};

    #[test]
    fn a_panic_is_told_by_its_place_and_not_by_its_message() {
        let before = panic::take_hook();
        log_places_only();
        let text = logged(LogFormat::Json, "info", || {
            let span = tracing::info_span!("http.request", request_id = "r-1");
            let _within = span.enter();
            let _ = panic::catch_unwind(|| panic!("{}", "canary@example.org"));
        });
        panic::set_hook(before);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["file"], file!());
        assert_eq!(line["request_id"], "r-1");
        assert!(!text.contains("canary"), "{text}");
    }
}
