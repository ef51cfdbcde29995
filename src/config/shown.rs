//! Settings as they may be shown: secrets as `***`, URLs without their password.

use super::{
    layers::{Source, Values, value_or_default},
    setting::{self, Secrecy, Setting},
};
use url::Url;

/// What stands in for a secret.
const HIDDEN: &str = "***";

/// A setting, what it came to, and where that came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    pub name: &'static str,
    /// `None` if nothing is set; never a secret.
    pub value: Option<String>,
    pub source: Source,
}

impl Shown {
    /// Whether somebody set it.
    pub fn is_set(&self) -> bool {
        self.source != Source::Default
    }
}

impl std::fmt::Debug for Shown {
    /// Without the value, which may be a person's address.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.source.as_str())
    }
}

pub(super) fn of(values: &Values) -> Vec<Shown> {
    setting::all()
        .map(|setting| Shown {
            name: setting.name,
            value: value_or_default(values, setting.name).map(|text| redact(setting, &text)),
            source: values
                .get(setting.name)
                .map_or(Source::Default, |found| found.source),
        })
        .collect()
}

fn redact(setting: &Setting, text: &str) -> String {
    match setting.secrecy {
        // A line break in a value must not look like the next setting.
        Secrecy::Open => text.trim().replace(char::is_control, "\u{FFFD}"),
        Secrecy::Secret => HIDDEN.to_owned(),
        Secrecy::Url => redact_url(text.trim()).unwrap_or_else(|| HIDDEN.to_owned()),
    }
}

/// The URL without its password, be it before the host or in the query; `None` if it is not certain where it would be.
fn redact_url(text: &str) -> Option<String> {
    if text.starts_with("sqlite://") {
        return Some(text.to_owned());
    }
    let mut url = Url::parse(text).ok()?;
    if url.password().is_some() {
        url.set_password(Some(HIDDEN)).ok()?;
    }
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let secret = name.to_ascii_lowercase().contains("pass");
                let value = if secret { HIDDEN.into() } else { value };
                (name.into_owned(), value.into_owned())
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        let cases = [
            (
                "postgresql://bob:pw@db:5432/x",
                "postgresql://bob:***@db:5432/x",
            ),
            (
                "postgres://bob@db/x?password=pw&sslmode=require",
                "postgres://bob@db/x?password=***&sslmode=require",
            ),
            (
                "smtps://m%40x.io:p%40w@mail.x.io",
                "smtps://m%40x.io:***@mail.x.io",
            ),
            ("sqlite://./data/usher.db", "sqlite://./data/usher.db"),
        ];
        for (given, expected) in cases {
            assert_eq!(redact_url(given).as_deref(), Some(expected));
        }
        assert_eq!(redact_url("no url: pw"), None);
    }

    #[test]
    fn a_line_break_in_a_value_does_not_make_a_second_line() {
        let setting = setting::find("JWT_AUDIENCE").unwrap();
        assert!(!redact(setting, "a\nDATABASE_URL=b").contains('\n'));
    }
}
