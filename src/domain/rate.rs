//! How a rate limit is written (`10/1m`).

use super::error::Fault;
use std::time::Duration;

/// Most requests in one rate.
const MAX_COUNT: u32 = 1_000_000;
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
}

/// Digits alone: the standard parser would take a plus sign too.
fn digits(text: &str) -> Option<u64> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| all_digits)
}
