//! Rate limits: so many requests in such a time, or off.

use super::{
    reader::Reader,
    setting::{Fallback, Setting},
};
use std::time::Duration;

/// No window is longer than 30 days.
const LONGEST: Duration = Duration::from_hours(30 * 24);

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "RATE_LIMIT_LOGIN",
        Fallback::Fixed("10/1m"),
        "Sign-ins and other tries of a password or token per address: `count/time` with `s`, `m`, `h` or `d`, or `off`.",
    ),
    Setting::new(
        "RATE_LIMIT_REGISTER",
        Fallback::Fixed("10/10m"),
        "Sign-ups per address.",
    ),
    Setting::new(
        "RATE_LIMIT_MAIL",
        Fallback::Fixed("10/10m"),
        "Requests for a mail (reset, verification) per address of the caller.",
    ),
    Setting::new(
        "RATE_LIMIT_REFRESH",
        Fallback::Fixed("60/1m"),
        "Token refreshes per address.",
    ),
    Setting::new(
        "RATE_LIMIT_API",
        Fallback::Fixed("600/1m"),
        "All other requests per address.",
    ),
    Setting::new(
        "RATE_LIMIT_RECIPIENT",
        Fallback::Fixed("3/1h"),
        "Mails of one kind to one recipient; more are silently not sent.",
    ),
    Setting::new(
        "RATE_LIMIT_ACCOUNT",
        Fallback::Fixed("10/1m"),
        "Tries of a password per account, from wherever.",
    ),
];

/// So many in such a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

/// `None` is off.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    pub login: Option<Rate>,
    pub register: Option<Rate>,
    pub mail: Option<Rate>,
    pub refresh: Option<Rate>,
    pub api: Option<Rate>,
    pub recipient: Option<Rate>,
    pub account: Option<Rate>,
}

impl LimitsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            login: read_rate(reader, "RATE_LIMIT_LOGIN"),
            register: read_rate(reader, "RATE_LIMIT_REGISTER"),
            mail: read_rate(reader, "RATE_LIMIT_MAIL"),
            refresh: read_rate(reader, "RATE_LIMIT_REFRESH"),
            api: read_rate(reader, "RATE_LIMIT_API"),
            recipient: read_rate(reader, "RATE_LIMIT_RECIPIENT"),
            account: read_rate(reader, "RATE_LIMIT_ACCOUNT"),
        }
    }
}

fn read_rate(reader: &mut Reader, name: &'static str) -> Option<Rate> {
    reader
        .parsed(name, "a rate such as 10/1m (s, m, h, d), or off", |text| {
            if text.eq_ignore_ascii_case("off") {
                return Some(None);
            }
            parse_rate(text).map(Some)
        })
        .flatten()
}

/// Reads `count/time`; the time is a whole number of `s`, `m`, `h` or `d`, and 1 if left out.
fn parse_rate(text: &str) -> Option<Rate> {
    let (count, per) = text.split_once('/')?;
    let count = count.parse().ok().filter(|count| *count > 0)?;
    let unit = per.chars().last()?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let times: u64 = match per.strip_suffix(unit)? {
        "" => 1,
        times => times.parse().ok().filter(|times| *times > 0)?,
    };
    let per = Duration::from_secs(seconds.checked_mul(times)?);
    (per <= LONGEST).then_some(Rate { count, per })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_rate_is_a_count_in_a_time() {
        let rate = |count, seconds| {
            Some(Rate {
                count,
                per: Duration::from_secs(seconds),
            })
        };
        assert_eq!(parse_rate("10/1m"), rate(10, 60));
        assert_eq!(parse_rate("3/h"), rate(3, 3600));
        assert_eq!(parse_rate("1/30s"), rate(1, 30));
        assert_eq!(parse_rate("1/1d"), rate(1, 86_400));
        for wrong in [
            "",
            "10",
            "10/",
            "/1m",
            "0/1m",
            "-1/1m",
            "10/0m",
            "10/1w",
            "10/1é",
            "1/31d",
            "1/1m/1m",
            "10/ 1m",
            "99999999999/1m",
            "1/99999999999999999999d",
        ] {
            assert_eq!(parse_rate(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_rate_or_none(text in "\\PC{0,20}|[0-9]{1,12}/[0-9]{0,12}[smhd]") {
            if let Some(rate) = parse_rate(&text) {
                prop_assert!(rate.count > 0 && !rate.per.is_zero() && rate.per <= LONGEST);
            }
        }
    }
}
