//! Passwords, their stored hashes and the rules for new ones. A password is NFC and otherwise exactly as received
//! (NIST SP 800-63B-4): never trimmed, case-folded or cut. Neither type prints.

mod blocklist;
mod context;
mod policy;

pub use context::Context;
pub use policy::{PasswordPolicy, PolicyRules};

use super::error::Fault;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

const MAX_BYTES: usize = 1024;
/// NFC at most triples the bytes of a UTF-8 text (Unicode Standard Annex 15, section 11).
const MAX_GROWTH: usize = 3;

/// A password in clear; wiped from memory when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Reads any password, lawful as a new one or not; refuses only what cannot be one (U+0000, over 1024 bytes).
    pub fn parse(text: &str) -> Result<Self, Fault> {
        const TOO_LONG: Fault = Fault::new("too_long", "A password has at most 256 characters.");
        if text.len() > MAX_BYTES {
            return Err(TOO_LONG);
        }
        if text.contains('\0') {
            return Err(Fault::new(
                "format",
                "A password cannot contain the character U+0000.",
            ));
        }
        let composed = composed(text);
        if composed.len() > MAX_BYTES {
            return Err(TOO_LONG);
        }
        Ok(Self(composed))
    }

    /// The bytes to hash: UTF-8 of the NFC form.
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(***)")
    }
}

/// The NFC form, with room for all of it at once: growing would leave copies behind that nobody wipes.
fn composed(text: &str) -> Zeroizing<String> {
    let mut composed = Zeroizing::new(String::with_capacity(MAX_GROWTH * text.len()));
    composed.extend(text.nfc());
    composed
}

/// A stored hash: a PHC string or a bcrypt string (`$2b$`).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Of the string as it is stored.
    pub fn new(stored: String) -> Self {
        Self(stored)
    }

    /// The string as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(text: &str) -> Vec<u8> {
        Password::parse(text).unwrap().expose().to_vec()
    }

    #[test]
    fn composed_and_decomposed_spellings_are_one_password() {
        assert_eq!(bytes("cafe\u{301}"), bytes("caf\u{e9}"));
    }

    #[test]
    fn everything_else_stays_as_received() {
        assert_ne!(bytes("\u{fb01}sh"), bytes("fish"));
        assert_ne!(bytes("a "), bytes("a"));
        assert_ne!(bytes("A"), bytes("a"));
        assert_eq!(bytes(" \t\u{feff} "), " \t\u{feff} ".as_bytes());
    }

    #[test]
    fn what_cannot_be_a_password_is_refused() {
        assert_eq!(Password::parse("a\0b").unwrap_err().code, "format");
        assert_eq!(
            Password::parse(&"a".repeat(1025)).unwrap_err().code,
            "too_long"
        );
        assert_eq!(
            Password::parse(&"\u{1d160}".repeat(250)).unwrap_err().code,
            "too_long"
        );
        assert_eq!(bytes(&"a".repeat(1024)).len(), 1024);
    }

    #[test]
    fn neither_password_nor_hash_prints() {
        let printed = format!(
            "{:?} {:?}",
            Password::parse("hunter2").unwrap(),
            PasswordHash::new("$2b$x".to_owned())
        );
        assert_eq!(printed, "Password(***) PasswordHash(***)");
    }

    proptest! {
        #[test]
        fn the_kept_form_reads_as_itself(text in any::<String>()) {
            if let Ok(password) = Password::parse(&text) {
                let kept = std::str::from_utf8(password.expose()).unwrap();
                prop_assert_eq!(bytes(kept), password.expose());
            }
        }
    }
}
