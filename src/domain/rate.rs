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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn rates_are_read() {
        let rate = |count, per| {
            Ok(Some(Rate {
                count,
                per: seconds(per),
            }))
        };
        assert_eq!(Rate::parse("off"), Ok(None));
        assert_eq!(Rate::parse("10/1m"), rate(10, 60));
        assert_eq!(Rate::parse(" 3/2h\n"), rate(3, 7200));
        assert_eq!(Rate::parse("1000000/30d"), rate(1_000_000, 2_592_000));
        for text in [
            "",
            "10",
            "10/",
            "/1m",
            "10/m",
            "10/1",
            "0/1m",
            "10/0s",
            "-1/1m",
            "+1/1m",
            "10/+1m",
            "1.5/1m",
            "10/1w",
            "10/1M",
            "10/1m/1m",
            "10 / 1m",
            "OFF",
            "1000001/1s",
            "1/31d",
            "1/18446744073709551615d",
            "99999999999/1s",
        ] {
            assert_eq!(Rate::parse(text).unwrap_err().code, "format", "{text}");
        }
    }

    proptest! {
    #[test]
        fn a_written_rate_is_read_back(count in 1..=MAX_COUNT, number in 1u64..=30, unit in 0usize..4) {
            let (unit, in_seconds) = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)][unit];
            let rate = Rate { count, per: seconds(number * in_seconds) };
            prop_assert_eq!(Rate::parse(&format!("{count}/{number}{unit}")), Ok(Some(rate)));
        }

        #[test]
        fn other_text_is_a_fault(text in "\\PC{0,20}") {
            if let Ok(Some(rate)) = Rate::parse(&text) {
                prop_assert!(text.contains('/') && rate.count > 0 && !rate.per.is_zero());
            }
        }
    }
}
