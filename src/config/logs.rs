//! How much is logged, and in which form.

use super::{
    reader::{Reader, items},
    setting::{Fallback, Setting},
};
use tracing_subscriber::EnvFilter;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "LOG_LEVEL",
        Fallback::Fixed("info"),
        "`error`, `warn`, `info`, `debug` or `trace`, also per module: `info,usher::http=debug`.",
    ),
    Setting::new(
        "LOG_FORMAT",
        Fallback::Derived("`pretty` in development, `json` in production"),
        "`pretty` for people or `json`, one object a line.",
    ),
];

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Pretty,
    Json,
}

/// Logs.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Directives of `tracing_subscriber::EnvFilter`.
    pub level: String,
    pub format: LogFormat,
}

impl LogConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let usual = if reader.is_production() {
            "json"
        } else {
            "pretty"
        };
        reader.derive("LOG_FORMAT", usual);
        let formats = [("pretty", LogFormat::Pretty), ("json", LogFormat::Json)];
        Self {
            level: reader
                .parsed(
                    "LOG_LEVEL",
                    "error, warn, info, debug or trace, also per module as in info,usher::http=debug",
                    |text| is_filter(text).then(|| text.to_owned()),
                )
                .unwrap_or_else(|| "info".to_owned()),
            format: reader
                .one_of("LOG_FORMAT", &formats)
                .unwrap_or(LogFormat::Json),
        }
    }
}

/// Whether it is a filter that says what was meant: `EnvFilter` itself takes a misspelt level for a module's name.
fn is_filter(text: &str) -> bool {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |text: &str| levels.contains(&text.to_ascii_lowercase().as_str());
    let plain = items(text).all(|item| match item.rsplit_once('=') {
        Some((module, level)) => !module.is_empty() && is_level(level),
        None => is_level(item),
    });
    plain && items(text).next().is_some() && EnvFilter::try_new(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_refused() {
        for right in ["info", "WARN", "info,usher::http=debug", "error,sqlx=off"] {
            assert!(is_filter(right), "{right}");
        }
        for wrong in [
            "",
            ",",
            "verbose",
            "infos",
            "usher=loud",
            "=debug",
            "info,usher",
        ] {
            assert!(!is_filter(wrong), "{wrong}");
        }
    }
}
