//! What the sections read their settings with: typed values, and every problem collected instead of the first thrown.
//! A refused value is replaced by some other, which nobody sees, since the whole is refused.

use super::{
    environment::Environment,
    layers::{Found, Source, Values, value_or_default},
};
use secrecy::SecretString;
use std::{fmt::Display, net::IpAddr, ops::RangeInclusive, str::FromStr, time::Duration};
use url::Url;
use zeroize::Zeroizing;

/// Reads settings by name; does not print.
pub(super) struct Reader {
    environment: Environment,
    values: Values,
    problems: Vec<String>,
    #[cfg(test)]
    pub(super) asked: std::collections::BTreeSet<&'static str>,
}

impl Reader {
    pub(super) fn new(environment: Environment, values: Values, problems: Vec<String>) -> Self {
        Self {
            environment,
            values,
            problems,
            #[cfg(test)]
            asked: std::collections::BTreeSet::new(),
        }
    }

    /// The values as they were read, and what is wrong with them.
    pub(super) fn finish(self) -> (Values, Vec<String>) {
        (self.values, self.problems)
    }

    pub(super) fn environment(&self) -> Environment {
        self.environment
    }

    pub(super) fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Records that a setting breaks a rule; `rule` continues a sentence that begins with the name.
    pub(super) fn refuse(&mut self, name: &str, rule: impl Display) {
        let set = self.values.get(name).map(|found| found.source);
        let origin = set
            .filter(|source| *source != Source::Default)
            .map(Source::as_str);
        self.problems.push(match origin {
            Some(origin) => format!("{name} {rule} (set by {origin})"),
            None => format!("{name} {rule}"),
        });
    }

    /// The value exactly as given, or the fixed default.
    pub(super) fn raw(&mut self, name: &'static str) -> Option<Zeroizing<String>> {
        #[cfg(test)]
        self.asked.insert(name);
        value_or_default(&self.values, name)
    }

    /// The value without white space around it, or the fixed default.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        Some(self.raw(name)?.trim().to_owned())
    }

    /// A secret exactly as given.
    pub(super) fn secret(&mut self, name: &'static str) -> Option<SecretString> {
        Some(SecretString::from(self.raw(name)?.as_str()))
    }

    /// What `parse` makes of the value; `None` if unset or refused.
    pub(super) fn parsed<T>(
        &mut self,
        name: &'static str,
        must_be: impl Display,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.raw(name)?;
        let value = parse(text.trim());
        if value.is_none() {
            self.refuse(name, format_args!("must be {must_be}"));
        }
        value
    }

    /// The one of `options` that is named.
    pub(super) fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        options: &[(&str, T)],
    ) -> Option<T> {
        let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
        self.parsed(name, one_of(&names), |text| {
            let (_, value) = options
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(text))?;
            Some(*value)
        })
    }

    /// `true` or `false`, also as 1/0, yes/no, on/off.
    pub(super) fn switch(&mut self, name: &'static str) -> bool {
        self.parsed(name, "true or false", |text| {
            match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            }
        })
        .unwrap_or_default()
    }

    /// A whole number of this range.
    pub(super) fn number<T>(&mut self, name: &'static str, allowed: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Copy + Display,
    {
        let (least, most) = (*allowed.start(), *allowed.end());
        self.parsed(
            name,
            format_args!("a whole number from {least} to {most}"),
            |text| text.parse().ok().filter(|number| allowed.contains(number)),
        )
        .unwrap_or(least)
    }

    /// So many times `unit` seconds.
    pub(super) fn span(
        &mut self,
        name: &'static str,
        unit: u64,
        allowed: RangeInclusive<u64>,
    ) -> Duration {
        Duration::from_secs(self.number(name, allowed).saturating_mul(unit))
    }

    /// An http or https URL without user, password and fragment; https in production.
    pub(super) fn web_url(&mut self, name: &'static str) -> Option<Url> {
        let url = self.parsed(
            name,
            "a URL such as https://accounts.example.com",
            parse_web_url,
        )?;
        if self.is_production() && url.scheme() != "https" {
            self.refuse(name, "must begin with https:// in production");
        }
        Some(url)
    }

    /// Notes what an unset setting with a derived default comes to, so that it can be shown.
    pub(super) fn derive(&mut self, name: &'static str, value: &str) {
        let text = Zeroizing::new(value.to_owned());
        let source = Source::Default;
        self.values.entry(name).or_insert(Found { text, source });
    }
}

/// An http or https URL with a host and without user, password and fragment.
pub(super) fn parse_web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    plain.then_some(url)
}

/// Whether a host is this machine, as far as its name tells.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// The items of a comma-separated list.
pub(super) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// `a, b or c`.
pub(super) fn one_of(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
