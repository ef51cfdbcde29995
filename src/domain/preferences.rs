//! What a person looks for in work, and which mails they want. What search and mails ask for is kept in clear; everything
//! else is sealed under the person's key.

mod changes;
mod extra;

pub use changes::PreferencesChanges;
pub use extra::extra;

use super::{
    Error, Timestamp,
    error::{Fault, Result, Violation},
    text,
};
use chrono::{Datelike, NaiveDate};
use iso_currency::Currency;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The highest salary that can be told, in whole units of any currency.
const MAX_SALARY: i64 = 1_000_000_000_000;

/// Kinds of employment.
pub const JOB_TYPES: [&str; 5] = [
    "full_time",
    "part_time",
    "contract",
    "internship",
    "temporary",
];

/// Where the work is done.
pub const WORK_MODES: [&str; 3] = ["onsite", "hybrid", "remote"];

/// A person's preferences; without a row they are the default at version 0.
#[derive(Clone, PartialEq)]
pub struct Preferences {
    pub open_to_work: bool,
    /// Mails about the account's use; those about its safety are always sent.
    pub email_notifications: bool,
    /// Only who asks for it gets advertisement.
    pub marketing_emails: bool,
    pub details: PreferencesDetails,
    /// Raised by every change; the `ETag`.
    pub version: i64,
    /// `None` as long as nothing was ever told.
    pub updated_at: Option<Timestamp>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            open_to_work: false,
            email_notifications: true,
            marketing_emails: false,
            details: PreferencesDetails::default(),
            version: 0,
            updated_at: None,
        }
    }
}

/// What of the preferences is sealed. A field that a later version adds is empty in what was sealed before.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PreferencesDetails {
    pub desired_titles: Vec<String>,
    /// Of [`JOB_TYPES`].
    pub job_types: Vec<String>,
    /// Of [`WORK_MODES`].
    pub work_modes: Vec<String>,
    pub locations: Vec<String>,
    /// A year's pay in whole units of the currency.
    pub salary_min: Option<i64>,
    pub salary_max: Option<i64>,
    /// ISO 4217.
    pub salary_currency: Option<String>,
    pub industries: Vec<String>,
    pub available_from: Option<NaiveDate>,
    pub willing_to_relocate: bool,
    /// Whatever else a product keeps here.
    pub extra: Map<String, Value>,
}

impl PreferencesDetails {
    /// The rules between fields: a salary has a currency, and its bounds are in order.
    fn must_agree(&self) -> Result<()> {
        let mut broken = Vec::new();
        if let (Some(min), Some(max)) = (self.salary_min, self.salary_max)
            && min > max
        {
            let rule = "The upper bound must not be below the lower one.";
            broken.push(Violation::new("salary_max", "mismatch", rule));
        }
        let has_salary = self.salary_min.is_some() || self.salary_max.is_some();
        if has_salary && self.salary_currency.is_none() {
            let rule = "A salary needs a currency.";
            broken.push(Violation::new("salary_currency", "required", rule));
        }
        if broken.is_empty() {
            return Ok(());
        }
        Err(Error::Invalid(broken))
    }
}

/// At most 20 lines of 100: titles, places, industries.
pub fn wishes(items: &[String]) -> Result<Vec<String>, Fault> {
    text::lines(20, 100, items)
}

/// Some of [`JOB_TYPES`].
pub fn job_types(items: &[String]) -> Result<Vec<String>, Fault> {
    choice(&JOB_TYPES, items)
}

/// Some of [`WORK_MODES`].
pub fn work_modes(items: &[String]) -> Result<Vec<String>, Fault> {
    choice(&WORK_MODES, items)
}

fn choice(names: &[&str], items: &[String]) -> Result<Vec<String>, Fault> {
    const UNKNOWN: Fault = Fault::new("unknown_value", "This list has a value that is not known.");
    text::distinct(20, items, |item| {
        let is_known = names.contains(&item.as_str());
        is_known.then(|| item.clone()).ok_or(UNKNOWN)
    })
}

/// 0 to 10^12.
pub fn salary(amount: i64) -> Result<i64, Fault> {
    if (0..=MAX_SALARY).contains(&amount) {
        return Ok(amount);
    }
    Err(Fault::new("out_of_range", "Send 0 to 1,000,000,000,000."))
}

/// A code of ISO 4217 in any case, of money that people are paid in.
pub fn currency(code: &str) -> Result<String, Fault> {
    Currency::from_code(&code.trim().to_ascii_uppercase())
        .filter(|currency| !currency.is_special() && !currency.is_fund())
        .map(|currency| currency.code().to_owned())
        .ok_or(Fault::new(
            "unknown_value",
            "This is no currency: send an ISO 4217 code such as EUR.",
        ))
}

/// A day as RFC 3339 writes it (`2026-03-01`), of the years 1900 to 2200.
pub fn day(text: &str) -> Result<NaiveDate, Fault> {
    const FAULT: Fault = Fault::new("format", "Send a date such as 2026-03-01.");
    let text = text.trim();
    let has_form = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    has_form
        .then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())
        .flatten()
        .filter(|day| (1900..=2200).contains(&day.year()))
        .ok_or(FAULT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn currencies_are_known_by_their_code_in_any_case() {
        for (text, code) in [("EUR", "EUR"), (" usd ", "USD"), ("jPy", "JPY")] {
            assert_eq!(currency(text).as_deref(), Ok(code));
        }
        for text in ["", "EU", "EURO", "XTS", "XAU", "CHW", "ZZZ", "€", "E\0R"] {
            assert_eq!(currency(text).unwrap_err().code, "unknown_value", "{text}");
        }
    }

    #[test]
    fn a_day_is_written_in_one_way_and_exists() {
        assert_eq!(day("2028-02-29").unwrap().to_string(), "2028-02-29");
        for text in [
            "",
            "2026-02-29",
            "2026-13-01",
            "01-03-2026",
            "2026-3-1",
            "2026-03-01T00:00:00Z",
            "+12026-1-1",
            "0000-01-01",
            "9999-12-31",
            "-026-01-01",
        ] {
            assert_eq!(day(text).unwrap_err().code, "format", "{text}");
        }
    }

    #[test]
    fn choices_are_known_and_counted_once() {
        let owned = |items: &[&str]| {
            items
                .iter()
                .map(|&item| item.to_owned())
                .collect::<Vec<_>>()
        };
        let twice = owned(&["remote", "onsite", "remote"]);
        assert_eq!(work_modes(&twice).unwrap(), ["remote", "onsite"]);
        assert_eq!(job_types(&owned(&JOB_TYPES)).unwrap(), JOB_TYPES);
        for bad in ["", "Remote", "full-time", "office"] {
            assert!(work_modes(&owned(&[bad])).is_err(), "{bad}");
            assert!(job_types(&owned(&[bad])).is_err(), "{bad}");
        }
        for (amount, good) in [
            (-1, false),
            (0, true),
            (MAX_SALARY, true),
            (MAX_SALARY + 1, false),
        ] {
            assert_eq!(salary(amount).is_ok(), good, "{amount}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_as_itself(text in "\\PC{0,12}|[a-zA-Z]{3}|[0-9]{4}-[0-9]{2}-[0-9]{2}") {
            if let Ok(code) = currency(&text) {
                prop_assert_eq!(currency(&code), Ok(code));
            }
            if let Ok(read) = day(&text) {
                prop_assert_eq!(day(&read.to_string()), Ok(read));
            }
        }
    }
}
