//! What a setting is, and the one table of all of them. A setting that is not in the table does not exist: the layers,
//! the checks, `.env.example` and the reference in the documentation all follow from here.

use super::{
    admin, audit, database, environment, events, http, keys, limits, logs, mail, passwords, redis,
    signup, subscription, tokens, traces, webhooks,
};

/// What holds when nothing is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fallback {
    /// This value.
    Fixed(&'static str),
    /// A value that follows from other settings; the words are for the documentation.
    Derived(&'static str),
    /// Nothing: what it switches on is off.
    Unset,
}

/// How far a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrecy {
    Open,
    /// Shown without its password.
    Url,
    /// Never shown.
    Secret,
}

/// One setting, named as in the environment.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) fallback: Fallback,
    pub(super) secrecy: Secrecy,
    /// One sentence for the operator.
    pub(super) doc: &'static str,
}

impl Setting {
    /// A setting that anybody may see.
    pub(super) const fn new(name: &'static str, fallback: Fallback, doc: &'static str) -> Self {
        Self {
            name,
            fallback,
            secrecy: Secrecy::Open,
            doc,
        }
    }

    /// A setting without fallback that is never shown.
    pub(super) const fn secret(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            fallback: Fallback::Unset,
            secrecy: Secrecy::Secret,
            doc,
        }
    }

    /// A URL that may hold a password.
    pub(super) const fn url(name: &'static str, fallback: Fallback, doc: &'static str) -> Self {
        Self {
            name,
            fallback,
            secrecy: Secrecy::Url,
            doc,
        }
    }

    /// Whether `NAME_FILE` may name a file that holds the value.
    pub(super) fn may_come_from_file(&self) -> bool {
        self.secrecy != Secrecy::Open
    }
}

/// The table, section by section, in the order in which it is documented.
pub(super) static TABLE: [(&str, &[Setting]); 17] = [
    ("General", environment::SETTINGS),
    ("Database", database::SETTINGS),
    ("HTTP", http::SETTINGS),
    ("Tokens and sessions", tokens::SETTINGS),
    ("Sign-up", signup::SETTINGS),
    ("Subscriptions", subscription::SETTINGS),
    ("Passwords", passwords::SETTINGS),
    ("Keys", keys::SETTINGS),
    ("Mail", mail::SETTINGS),
    ("Events", events::SETTINGS),
    ("Rate limits", limits::SETTINGS),
    ("Redis", redis::SETTINGS),
    ("First admin", admin::SETTINGS),
    ("Audit trail", audit::SETTINGS),
    ("Webhooks", webhooks::SETTINGS),
    ("Logs", logs::SETTINGS),
    ("Traces", traces::SETTINGS),
];

/// Every setting.
pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    TABLE.iter().flat_map(|(_, settings)| settings.iter())
}

/// The setting of exactly this name.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    all().find(|setting| setting.name == name)
}
