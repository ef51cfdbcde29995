//! The only reader of the machine's clock. Tests wind theirs by hand.

use crate::domain::Timestamp;
use chrono::{DurationRound, TimeDelta, Utc};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// Where the time comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Microseconds since 1970, moved by [`Clock::advance`].
    HandWound(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `at` until it is wound.
    pub fn hand_wound(at: Timestamp) -> Self {
        Self::HandWound(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// Now, cut to microseconds.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one place that reads the machine's clock"
            )]
            Self::System => {
                let now = Utc::now();
                now.duration_trunc(TimeDelta::microseconds(1))
                    .unwrap_or(now)
            }
            Self::HandWound(micros) => {
                Timestamp::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    /// Winds a hand-wound clock on (or back); the machine's clock is left alone.
    pub fn advance(&self, by: TimeDelta) {
        if let Self::HandWound(micros) = self {
            micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
        }
    }
}
