//! Webhooks: where they may lead, how long an answer may take, how long deliveries are remembered.

use super::{
    reader::Reader,
    setting::{Fallback, Setting},
};
use std::{path::PathBuf, time::Duration};

const DAY: u64 = 24 * 60 * 60;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "WEBHOOK_ALLOW_PRIVATE",
        Fallback::Derived("`true` in development, `false` in production"),
        "Whether webhooks may lead into private networks and use `http://`.",
    ),
    Setting::new(
        "WEBHOOK_TIMEOUT_SECONDS",
        Fallback::Fixed("15"),
        "For so long a delivery waits for its answer.",
    ),
    Setting::new(
        "WEBHOOK_CA_FILE",
        Fallback::Unset,
        "PEM file with a further authority that certificates of webhooks may come from.",
    ),
    Setting::new(
        "WEBHOOK_DELIVERIES_RETENTION_DAYS",
        Fallback::Fixed("30"),
        "For so long deliveries that are settled stay listed and can be replayed.",
    ),
];

/// Webhooks.
#[derive(Debug, Clone)]
pub struct WebhooksConfig {
    pub allow_private: bool,
    pub timeout: Duration,
    pub ca_file: Option<PathBuf>,
    pub retention: Duration,
}

impl WebhooksConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let usual = if reader.is_production() {
            "false"
        } else {
            "true"
        };
        reader.derive("WEBHOOK_ALLOW_PRIVATE", usual);
        Self {
            allow_private: reader.switch("WEBHOOK_ALLOW_PRIVATE"),
            timeout: reader.span("WEBHOOK_TIMEOUT_SECONDS", 1, 1..=60),
            ca_file: reader.text("WEBHOOK_CA_FILE").map(PathBuf::from),
            retention: reader.span("WEBHOOK_DELIVERIES_RETENTION_DAYS", DAY, 1..=365),
        }
    }
}
