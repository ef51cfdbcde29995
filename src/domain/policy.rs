//! The figures that rules use: lifetimes, limits, switches. Config fills it once; the use cases read it.

use super::{password::PasswordPolicy, rate::Rate, session::SessionLimits};
use std::{collections::BTreeSet, time::Duration};

/// Whether a sign-up tells that an address is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignupPrivacy {
    /// 409 `email_taken`.
    Friendly,
    /// Always 202; the owner of a taken address is told by mail.
    Strict,
}

/// Fields that a sign-up can be made to require.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignupField {
    Username,
    FullName,
    Country,
    StateProvince,
    ConfirmPassword,
    Locale,
}

impl SignupField {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Username,
        Self::FullName,
        Self::Country,
        Self::StateProvince,
        Self::ConfirmPassword,
        Self::Locale,
    ];

    /// The field's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::FullName => "full_name",
            Self::Country => "country",
            Self::StateProvince => "state_province",
            Self::ConfirmPassword => "confirm_password",
            Self::Locale => "locale",
        }
    }
}

/// Lifetimes, limits and switches of the rules.
#[derive(Debug, Clone)]
pub struct Policy {
    pub access_ttl: Duration,
    /// Sessions of everybody but admins.
    pub session: SessionLimits,
    /// Sessions of admins.
    pub admin_session: SessionLimits,
    pub refresh_grace: Duration,
    pub reauth_max_age: Duration,
    pub verification_ttl: Duration,
    pub reset_ttl: Duration,
    pub invitation_ttl: Duration,
    pub email_change_ttl: Duration,
    pub email_change_undo_ttl: Duration,
    pub require_email_verification: bool,
    pub signup_required: BTreeSet<SignupField>,
    pub signup_privacy: SignupPrivacy,
    pub password: PasswordPolicy,
    /// Mails of one kind that strangers can cause to one person; `None` for no limit.
    pub stranger_mails: Option<Rate>,
    /// Consecutive wrong passwords after which sign-in by password waits for a reset (NIST SP 800-63B-4: at most 100).
    pub max_failures: i32,
    /// How long entries of the audit trail are kept; `None` is for ever.
    pub audit_retention: Option<Duration>,
    /// How long settled deliveries to webhooks are kept.
    pub webhook_retention: Duration,
    /// How long the feed keeps events that nobody waits for.
    pub event_retention: Duration,
    /// Whether another service sends the mails: the events tell it to whom, and with which link.
    pub mails_as_events: bool,
    /// Whether people change their own tier.
    pub subscription_self_service: bool,
}
