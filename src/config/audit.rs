//! The audit trail: how long it is kept.

use super::{
    reader::Reader,
    setting::{Fallback, Setting},
};
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

pub(super) const SETTINGS: &[Setting] = &[Setting::new(
    "AUDIT_RETENTION_DAYS",
    Fallback::Fixed("0"),
    "For how long entries of the audit trail are kept; 0 is for ever.",
)];

/// How long the trail is kept.
#[derive(Debug, Clone)]
pub struct AuditConfig {
    /// `None` is for ever.
    pub retention: Option<Duration>,
}

impl AuditConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let retention = reader.span("AUDIT_RETENTION_DAYS", DAY, 0..=36_500);
        Self {
            retention: (!retention.is_zero()).then_some(retention),
        }
    }
}
