//! The rules for a new password, by profile. Lengths count code points of the NFC form; all broken rules are told at once.

use super::{Context, Password, blocklist};
use crate::domain::error::Fault;
use serde::Serialize;

const MAX_LENGTH: usize = 256;
const LONG: usize = 15;
const SHORT: usize = 8;

const TOO_LONG: Fault = Fault::new("too_long", "A password has at most 256 characters.");
const WEAK: Fault = Fault::new(
    "password_weak",
    "The password needs an upper-case letter, a lower-case letter and a digit.",
);
const BLOCKLISTED: Fault = Fault::new(
    "password_blocklisted",
    "This is one of the most common passwords and would be guessed at once; three or four unrelated words are better.",
);
const CONTEXT: Fault = Fault::new(
    "password_context",
    "The password must not be made of your name, your address, your username or the name of this service.",
);

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

/// The rules of a profile, for forms.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the shape of GET /password-policy: forms show one line for each"
)]
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
    pub fn check(self, password: &Password, context: &Context<'_>) -> Vec<Fault> {
        let rules = self.rules();
        let text = password.0.as_str();
        let length = text.chars().count();
        let broken = [
            (length < rules.min_length, self.too_short()),
            (length > rules.max_length, TOO_LONG),
            (rules.asks_composition(length) && !is_composed(text), WEAK),
            (blocklist::contains(text), BLOCKLISTED),
            (context.gives_away(text), CONTEXT),
        ];
        broken
            .into_iter()
            .filter_map(|(broken, fault)| broken.then_some(fault))
            .collect()
    }

    fn too_short(self) -> Fault {
        let message = match self {
            Self::Nist => "The password needs at least 15 characters.",
            Self::Tiered | Self::Requirement | Self::Asvs => {
                "The password needs at least 8 characters."
            }
        };
        Fault::new("too_short", message)
    }
}

impl PolicyRules {
    fn asks_composition(&self, length: usize) -> bool {
        self.requires_uppercase && self.composition_until.is_none_or(|until| length < until)
    }
}

/// Upper case, lower case and digit, of any script.
fn is_composed(text: &str) -> bool {
    text.contains(char::is_uppercase)
        && text.contains(char::is_lowercase)
        && text.contains(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::email::EmailAddress;

    const PROFILES: [PasswordPolicy; 4] = PasswordPolicy::ALL;

    fn codes(policy: PasswordPolicy, password: &str) -> Vec<&'static str> {
        let email = EmailAddress::parse("margaret@example.com").unwrap();
        let context = Context {
            email: Some(&email),
            username: Some("moonlander"),
            full_name: Some("Margaret Hamilton"),
        };
        let password = Password::parse(password).unwrap();
        policy
            .check(&password, &context)
            .into_iter()
            .map(|fault| fault.code)
            .collect()
    }

    fn lawful(password: &str) -> [bool; 4] {
        PROFILES.map(|policy| codes(policy, password).is_empty())
    }

    #[test]
    fn the_truth_table_of_the_four_profiles_holds() {
        let composed = |length: usize| {
            format!(
                "A1{}",
                "zv".repeat(length)
                    .chars()
                    .take(length - 2)
                    .collect::<String>()
            )
        };
        let plain = |length: usize| {
            "qj kx "
                .repeat(length)
                .chars()
                .take(length)
                .collect::<String>()
        };
        //            tiered, requirement, asvs, nist
        for (password, expected) in [
            ("Short1A".to_owned(), [false, false, false, false]),
            ("Shorter1".to_owned(), [true, true, true, false]),
            ("SecurePass123".to_owned(), [true, true, true, false]),
            ("alllowercase".to_owned(), [false, false, true, false]),
            (
                "violet kettle anchors marsh".to_owned(),
                [true, false, true, true],
            ),
            (
                "Violet kettle anchors 7".to_owned(),
                [true, true, true, true],
            ),
            ("Password123".to_owned(), [false, false, false, false]),
            ("Qwerty12345678".to_owned(), [false, false, false, false]),
            ("Margaret12345678".to_owned(), [false, false, false, false]),
            (
                "🐙🦊🐢🦉🐝🦋🐌🐞🦀🐡🐬🦭🦔🐿🦚".to_owned(),
                [true, false, true, true],
            ),
            (plain(14), [false, false, true, false]),
            (plain(15), [true, false, true, true]),
            (composed(14), [true, true, true, false]),
            (composed(15), [true, true, true, true]),
            (composed(64), [true, true, true, true]),
            (composed(128), [true, true, true, true]),
            (composed(256), [true, true, true, true]),
            (composed(257), [false, false, false, false]),
            (plain(256), [true, false, true, true]),
            (plain(257), [false, false, false, false]),
        ] {
            assert_eq!(lawful(&password), expected, "{password}");
        }
        assert_eq!(
            Password::parse("Nul\0inside 123").unwrap_err().code,
            "format"
        );
    }

    #[test]
    fn all_broken_rules_are_told_at_once() {
        let tiered = PasswordPolicy::Tiered;
        assert_eq!(codes(tiered, ""), ["too_short", "password_weak"]);
        assert_eq!(
            codes(tiered, "password"),
            ["password_weak", "password_blocklisted"]
        );
        assert_eq!(
            codes(tiered, "margaret"),
            ["password_weak", "password_blocklisted", "password_context"]
        );
        assert_eq!(
            codes(tiered, "moonlander1"),
            ["password_weak", "password_context"]
        );
        assert_eq!(codes(tiered, &"a".repeat(257)), ["too_long"]);
        assert_eq!(
            codes(PasswordPolicy::Nist, "Usher2024"),
            ["too_short", "password_context"]
        );
        assert_eq!(
            codes(PasswordPolicy::Asvs, "Hamilton 1969"),
            ["password_context"]
        );
    }

    #[test]
    fn lengths_count_code_points_of_the_composed_form() {
        assert_eq!(codes(PasswordPolicy::Asvs, "e\u{301}zxkqwv"), ["too_short"]);
        assert!(codes(PasswordPolicy::Asvs, "éézxkqwv").is_empty());
        assert!(codes(PasswordPolicy::Asvs, &"𝕏𝕐".repeat(127)).is_empty());
    }

    #[test]
    fn a_profile_is_known_by_its_name() {
        for policy in PROFILES {
            assert_eq!(PasswordPolicy::parse(policy.as_str()), Some(policy));
        }
        assert_eq!(PasswordPolicy::parse("Tiered"), None);
    }

    #[test]
    fn the_rules_are_told_as_they_are_checked() {
        let rules = PasswordPolicy::ALL.map(PasswordPolicy::rules);
        assert_eq!(rules.map(|r| r.min_length), [8, 8, 8, 15]);
        assert_eq!(
            rules.map(|r| r.composition_until),
            [Some(15), None, None, None]
        );
        assert_eq!(rules.map(|r| r.requires_digit), [true, true, false, false]);
        assert_eq!(
            serde_json::to_value(PasswordPolicy::Nist.rules()).unwrap(),
            serde_json::json!({
                "profile": "nist", "min_length": 15, "max_length": 256, "composition_until": null,
                "requires_uppercase": false, "requires_lowercase": false, "requires_digit": false,
                "blocklist": true, "context_words": true,
            })
        );
    }
}
