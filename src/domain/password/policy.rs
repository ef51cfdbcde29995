//! The rules for a new password, by profile. Lengths count code points of the NFC form; all broken rules are told at once.

use super::Password;
use crate::domain::{email::EmailAddress, error::Fault};
use serde::Serialize;

const MAX_LENGTH: usize = 256;
const LONG: usize = 15;
const SHORT: usize = 8;

/// A profile of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordPolicy {
    /// From 8 with upper case, lower case and digit; from 15 with anything.
    Tiered,
    /// From 8, always with upper case, lower case and digit.
    Requirement,
    /// From 8 with anything (OWASP ASVS 5.0, V6.2).
    Asvs,
    /// From 15 with anything (NIST SP 800-63B-4).
    Nist,
}

/// What is known of the person whose password it is to be.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    pub email: Option<&'a EmailAddress>,
    pub username: Option<&'a str>,
    pub full_name: Option<&'a str>,
}

/// The rules of a profile, for forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PolicyRules {
    pub profile: &'static str,
    /// In code points.
    pub min_length: usize,
    /// In code points.
    pub max_length: usize,
    /// The length from which no composition is asked; `None` when that never ends or never begins.
    pub composition_until: Option<usize>,
    pub requires_uppercase: bool,
    pub requires_lowercase: bool,
    pub requires_digit: bool,
    /// Common passwords are refused.
    pub blocklist: bool,
    /// Names of the person and of the product are refused.
    pub context_words: bool,
}

impl PasswordPolicy {
    /// All profiles.
    pub const ALL: [Self; 4] = [Self::Tiered, Self::Requirement, Self::Asvs, Self::Nist];

    /// The name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tiered => "tiered",
            Self::Requirement => "requirement",
            Self::Asvs => "asvs",
            Self::Nist => "nist",
        }
    }

    /// Reads the name; `None` for any other.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == name)
    }

    /// The rules in figures.
    pub fn rules(self) -> PolicyRules {
        let composed = matches!(self, Self::Tiered | Self::Requirement);
        PolicyRules {
            profile: self.as_str(),
            min_length: if self == Self::Nist { LONG } else { SHORT },
            max_length: MAX_LENGTH,
            composition_until: (self == Self::Tiered).then_some(LONG),
            requires_uppercase: composed,
            requires_lowercase: composed,
            requires_digit: composed,
            blocklist: true,
            context_words: true,
        }
    }

    /// Every rule that this new password breaks; none when it may be used.
    pub fn check(self, password: &Password, _context: &Context<'_>) -> Vec<Fault> {
        let rules = self.rules();
        let length = password.0.chars().count();
        let mut faults = Vec::new();
        if length < rules.min_length {
            faults.push(match self {
                Self::Nist => Fault::new("too_short", "The password needs at least 15 characters."),
                _ => Fault::new("too_short", "The password needs at least 8 characters."),
            });
        }
        if length > rules.max_length {
            faults.push(Fault::new(
                "too_long",
                "A password has at most 256 characters.",
            ));
        }
        let exempt = rules.composition_until.is_some_and(|from| length >= from);
        let classes: [fn(char) -> bool; 3] =
            [char::is_uppercase, char::is_lowercase, char::is_numeric];
        if rules.requires_digit
            && !exempt
            && !classes.iter().all(|class| password.0.contains(*class))
        {
            faults.push(Fault::new(
                "password_weak",
                "The password needs an upper-case letter, a lower-case letter and a digit.",
            ));
        }
        faults
    }
}
