//! Who changes a person's tier.

use super::{
    reader::Reader,
    setting::{Fallback, Setting},
};

pub(super) const SETTINGS: &[Setting] = &[Setting::new(
    "SUBSCRIPTION_SELF_SERVICE",
    Fallback::Fixed("true"),
    "Whether people upgrade and downgrade themselves; `false` leaves it to admins, as behind a shop that takes the money.",
)];

/// Subscriptions.
#[derive(Debug, Clone)]
pub struct SubscriptionConfig {
    pub self_service: bool,
}

impl SubscriptionConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            self_service: reader.switch("SUBSCRIPTION_SELF_SERVICE"),
        }
    }
}
