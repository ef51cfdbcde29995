//! Rate limits: so many requests in such a time, or off.

use super::{
    reader::Reader,
    setting::{Fallback, Setting},
};
use crate::domain::rate::Rate;

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
        "Requests for a mail (reset, verification) per address of the caller; more are answered as ever and send none.",
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
        "RATE_LIMIT_MAIL_TOTAL",
        Fallback::Fixed("600/10m"),
        "Mails that strangers can cause (reset, verification again, account exists) to everybody together; more are silently not sent.",
    ),
    Setting::new(
        "RATE_LIMIT_ACCOUNT",
        Fallback::Fixed("10/1m"),
        "Tries of a password from wherever: per account inside a session and on a known device, elsewhere per address or username typed.",
    ),
];

/// `None` is off.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    pub login: Option<Rate>,
    pub register: Option<Rate>,
    pub mail: Option<Rate>,
    pub refresh: Option<Rate>,
    pub api: Option<Rate>,
    pub recipient: Option<Rate>,
    pub mail_total: Option<Rate>,
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
            mail_total: read_rate(reader, "RATE_LIMIT_MAIL_TOTAL"),
            account: read_rate(reader, "RATE_LIMIT_ACCOUNT"),
        }
    }
}

fn read_rate(reader: &mut Reader, name: &'static str) -> Option<Rate> {
    reader
        .parsed(name, "a rate such as 10/1m (s, m, h, d), or off", |text| {
            Rate::parse(text).ok()
        })
        .flatten()
}
