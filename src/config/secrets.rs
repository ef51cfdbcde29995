//! Which secrets are too weak for production: too short, or out of a manual. Development takes any.

use super::reader::Reader;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use zeroize::Zeroizing;

/// What manuals and examples put where a secret belongs; compared without case, `-`, `_` and spaces.
const PLACEHOLDERS: [&str; 15] = [
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "supersecret",
    "yoursecret",
    "mysecret",
    "secretkey",
    "jwtsecret",
    "placeholder",
    "example",
    "password",
    "topsecret",
    "notsecure",
    "postgres",
];

/// A secret with fewer different bytes than this was typed, not drawn.
const LEAST_VARIETY: usize = 8;

/// Reads a secret that production takes only if it is strong and at least so many bytes long.
pub(super) fn read_token(
    reader: &mut Reader,
    name: &'static str,
    least: usize,
) -> Option<SecretString> {
    let secret = reader.secret(name)?;
    if reader.is_production() {
        if secret.expose_secret().len() < least {
            reader.refuse(
                name,
                format_args!("must be at least {least} bytes long in production"),
            );
        } else if is_weak(secret.expose_secret()) {
            reader.refuse(
                name,
                "must be drawn at random in production, not taken from an example",
            );
        }
    }
    Some(secret)
}

/// Refuses a password to one of the servers that is out of a manual; only production does.
pub(super) fn judge_password(reader: &mut Reader, name: &'static str, password: &str) {
    if reader.is_production() && is_weak(password) {
        reader.refuse(
            name,
            "must have a password in production that is drawn at random, not taken from an example",
        );
    }
}

/// The same for the password in a URL.
pub(super) fn judge_url(reader: &mut Reader, name: &'static str, url: &str) {
    let Ok(url) = Url::parse(url) else {
        return;
    };
    let plain = url
        .password()
        .map(|password| percent_decode_str(password).decode_utf8_lossy());
    let named = url.query_pairs().filter(|(name, _)| name == "password");
    let named = named.map(|(_, value)| value);
    for password in plain.into_iter().chain(named) {
        judge_password(reader, name, &Zeroizing::new(password.into_owned()));
    }
}

/// Whether a secret could be guessed from a manual, or holds hardly anything.
pub(super) fn is_weak(secret: &str) -> bool {
    let plain: String = secret
        .to_lowercase()
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .collect();
    let mut bytes = secret.as_bytes().to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    bytes.len() < LEAST_VARIETY || PLACEHOLDERS.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_out_of_a_manual_are_weak() {
        for weak in [
            "your-super-secret-jwt-key",
            "your-super-secret-jwt-key-which-is-long-enough-now",
            "changeme",
            "Change_Me_please_0123456789_abcdef",
            "secret",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "01010101010101010101010101010101",
            "REPLACE-THIS-WITH-YOUR-KEY-1234567890",
        ] {
            assert!(is_weak(weak), "{weak}");
        }
    }

    #[test]
    fn drawn_secrets_are_not_weak() {
        for drawn in [
            "q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1G",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "violet kettle anchors marsh",
        ] {
            assert!(!is_weak(drawn), "{drawn}");
        }
    }
}
