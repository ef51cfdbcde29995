//! Settings as they may be shown: secrets as `***`, URLs without their password.

use super::{
    layers::{Source, Values, value_or_default},
    setting::{self, Secrecy, Setting},
};
use url::Url;

/// What stands in for a secret.
const HIDDEN: &str = "***";

/// A setting, what it came to, and where that came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub name: &'static str,
    /// `None` if nothing is set; never a secret.
    pub value: Option<String>,
    pub source: Source,
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
        Secrecy::Open => text.trim().to_owned(),
        Secrecy::Secret => HIDDEN.to_owned(),
        Secrecy::Url => redact_url(text.trim()).unwrap_or_else(|| HIDDEN.to_owned()),
    }
}

/// The URL without its password, be it before the host or in the query; `None` if it is not certain where it would be.
fn redact_url(text: &str) -> Option<String> {
    if let Some(path) = text.strip_prefix("sqlite://") {
        return (!path.contains('?')).then(|| text.to_owned());
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
