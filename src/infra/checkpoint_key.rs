//! The key that signs the checkpoints of the audit trail: Ed25519 (RFC 8032), its name the RFC 7638 thumbprint. It is
//! made from a seed each time and never retires, for old checkpoints must verify for ever.

use crate::domain::error::{Error, Result};
use anyhow::anyhow;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Signs and verifies; does not print.
pub struct CheckpointKey {
    pair: Ed25519KeyPair,
    id: String,
}

impl CheckpointKey {
    /// The key of this seed.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|_| Error::internal(anyhow!("no key could be made for checkpoints")))?;
        let x = URL_SAFE_NO_PAD.encode(pair.public_key());
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(members));
        Ok(Self { pair, id })
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// 64 bytes.
    pub fn sign(&self, message: &str) -> Vec<u8> {
        self.pair.sign(message.as_bytes()).as_ref().to_vec()
    }

    /// Whether this key made the signature.
    pub fn verifies(&self, message: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.pair.public_key())
            .verify(message.as_bytes(), signature)
            .is_ok()
    }

    /// The public half (RFC 8037).
    pub fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.pair.public_key());
        json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.id, "alg": "EdDSA", "use": "sig" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_text_and_its_key_only() {
        let (key, other) = (key(1), key(2));
        let signature = key.sign("text");
        assert!(key.verifies("text", &signature));
        assert!(!key.verifies("texts", &signature));
        assert!(!other.verifies("text", &signature));
        assert!(!key.verifies("text", &signature[1..]));
    }

    #[test]
    fn the_same_seed_gives_the_same_name_and_another_seed_another() {
        assert_eq!(key(1).id(), key(1).id());
        assert_ne!(key(1).id(), key(2).id());
        assert_eq!(key(1).jwk()["kid"], key(1).id());
        assert!(!key(1).jwk().to_string().contains("\"d\""));
    }

    fn key(byte: u8) -> CheckpointKey {
        CheckpointKey::from_seed(&[byte; 32]).unwrap()
    }
}
