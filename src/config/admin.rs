//! The first admin, who is made when there is none.

use super::{
    reader::Reader,
    secrets,
    setting::{Fallback, Setting},
};
use crate::domain::email::EmailAddress;
use secrecy::SecretString;

/// `.localhost` never leaves this machine (RFC 6761), so that no mail of a developer's machine can reach anybody.
const DEVELOPMENT_EMAIL: &str = "admin@usher.localhost";

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "ADMIN_EMAIL",
        Fallback::Derived("`admin@usher.localhost` in development"),
        "Address of the admin who is made if there is none; in production with `ADMIN_PASSWORD`.",
    ),
    Setting::secret(
        "ADMIN_PASSWORD",
        "First password of that admin; if left out, development makes one and shows it once.",
    ),
];

/// The first admin.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    pub email: Option<EmailAddress>,
    pub password: Option<SecretString>,
}

impl AdminConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        if !reader.is_production() {
            reader.derive("ADMIN_EMAIL", DEVELOPMENT_EMAIL);
        }
        let email = reader.parsed("ADMIN_EMAIL", "an e-mail address", |text| {
            EmailAddress::parse(text).ok()
        });
        let password = secrets::read_token(reader, "ADMIN_PASSWORD", 8);
        if password.is_some() && reader.raw("ADMIN_EMAIL").is_none() {
            reader.refuse("ADMIN_EMAIL", "must be set when ADMIN_PASSWORD is");
        }
        Self { email, password }
    }
}
