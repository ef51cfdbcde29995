//! What a sign-up asks for and what it gives away.

use super::{
    reader::{Reader, items, one_of},
    setting::{Fallback, Setting},
};
use crate::domain::policy::{SignupField, SignupPrivacy};
use std::collections::BTreeSet;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "SIGNUP_REQUIRED_FIELDS",
        Fallback::Unset,
        "Fields that a sign-up must hold besides e-mail and password, separated by commas: `username`, `full_name`, `country`, `state_province`, `confirm_password`, `locale`.",
    ),
    Setting::new(
        "SIGNUP_PRIVACY",
        Fallback::Fixed("friendly"),
        "`friendly` says that an address is taken; `strict` always answers 202 and tells the owner by mail; a username is theirs, and a sign-in tells of the account, when the address is confirmed.",
    ),
    Setting::new(
        "REQUIRE_EMAIL_VERIFICATION",
        Fallback::Fixed("true"),
        "Whether a new account must confirm its address before it can sign in.",
    ),
];

/// Sign-up.
#[derive(Debug, Clone)]
pub struct SignupConfig {
    pub required: BTreeSet<SignupField>,
    pub privacy: SignupPrivacy,
    pub require_email_verification: bool,
}

impl SignupConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let names = SignupField::ALL.map(SignupField::as_str);
        let privacy = [
            ("friendly", SignupPrivacy::Friendly),
            ("strict", SignupPrivacy::Strict),
        ];
        Self {
            required: reader
                .parsed(
                    "SIGNUP_REQUIRED_FIELDS",
                    format_args!("a comma-separated list of {}", one_of(&names)),
                    |text| items(text).map(parse_field).collect(),
                )
                .unwrap_or_default(),
            privacy: reader
                .one_of("SIGNUP_PRIVACY", &privacy)
                .unwrap_or(SignupPrivacy::Strict),
            require_email_verification: reader.switch("REQUIRE_EMAIL_VERIFICATION"),
        }
    }
}

fn parse_field(name: &str) -> Option<SignupField> {
    SignupField::ALL
        .into_iter()
        .find(|field| field.as_str() == name)
}
