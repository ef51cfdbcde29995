//! How a rate is written in the configuration (`10/1m`) and what it means to the limiter.

use crate::domain::error::Fault;
use governor::Quota;
use std::{num::NonZeroU32, time::Duration};

/// Most requests in one rate.
pub(super) const MAX_COUNT: u32 = 1_000_000;
/// Longest window of a rate: 30 days.
const MAX_WINDOW_SECONDS: u64 = 30 * 86_400;

/// So many requests in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

impl Rate {
    /// Reads `10/1m` (units `s m h d`); `off` is `None`.
    pub fn parse(text: &str) -> Result<Option<Self>, Fault> {
        const FORM: Fault = Fault::new(
            "format",
            "A rate is a count and a window such as 10/1m (units s, m, h, d; at most 1000000 in 30d), or off.",
        );
        let text = text.trim();
        if text == "off" {
            return Ok(None);
        }
        let (count, window) = text.split_once('/').ok_or(FORM)?;
        let count = u32::try_from(digits(count).ok_or(FORM)?).map_err(|_| FORM)?;
        let (number, unit) = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)]
            .into_iter()
            .find_map(|(unit, seconds)| Some((window.strip_suffix(unit)?, seconds)))
            .ok_or(FORM)?;
        let seconds = digits(number)
            .and_then(|n| n.checked_mul(unit))
            .ok_or(FORM)?;
        if !(1..=MAX_COUNT).contains(&count) || !(1..=MAX_WINDOW_SECONDS).contains(&seconds) {
            return Err(FORM);
        }
        let per = Duration::from_secs(seconds);
        Ok(Some(Self { count, per }))
    }

    /// A rate of nothing, or in no time, counts as the least that can be limited.
    pub(super) fn at_least_something(self) -> Self {
        let count = self.count.max(1);
        let per = self.per.max(Duration::from_micros(count.into()));
        Self { count, per }
    }

    pub(super) fn quota(self) -> Option<Quota> {
        let burst = NonZeroU32::new(self.count)?;
        Quota::with_period(self.interval()).map(|quota| quota.allow_burst(burst))
    }

    /// The time in which one more becomes free.
    pub(super) fn interval(self) -> Duration {
        self.per / self.count.max(1)
    }
}

/// Digits alone: the standard parser would take a plus sign too.
fn digits(text: &str) -> Option<u64> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| all_digits)
}
