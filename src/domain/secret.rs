//! Secrets that travel (refresh tokens, mailed links) and the forms in which they are kept. A live secret neither
//! prints nor logs; only its SHA-256 is stored, and 256 random bits need no slower hash.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use zeroize::ZeroizeOnDrop;

/// Length of a secret on the wire: 32 bytes in base64url without padding.
const WIRE_LENGTH: usize = 43;

/// A live secret of 256 random bits.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A secret of these random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the wire form; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != WIRE_LENGTH {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The wire form: 43 characters of base64url. Only for the one who is to have it.
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The raw bytes, as key material.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What is stored in its place: SHA-256.
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.0).into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// SHA-256 of a secret; what the database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

/// Personal data as it is stored: sealed under its owner's data key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// Keyed hash of a personal value, by which it can be found and kept unique without being readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlindIndex(pub [u8; 32]);

/// A data key wrapped by a master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Which master key wraps it.
    pub master_key_id: String,
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_secret_survives_the_wire(bytes: [u8; 32]) {
            let secret = Secret::from_random(bytes);
            let back = Secret::parse(&secret.reveal()).unwrap();
            prop_assert_eq!(back.digest(), secret.digest());
        }

        #[test]
        fn other_text_is_never_a_secret(text in "\\PC{0,80}") {
            if let Some(secret) = Secret::parse(&text) {
                prop_assert_eq!(secret.reveal(), text);
            }
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::from_random([7; 32]);
        assert!(!format!("{secret:?}").contains(&secret.reveal()));
    }
}
