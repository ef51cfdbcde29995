//! Keys for access tokens: how they are made, named and kept (PKCS#8 v1, RFC 5208). `kid` is the RFC 7638 thumbprint, so
//! the same key has the same name everywhere; a shared secret, whose thumbprint would be a hash of it, is named by a MAC.

use crate::{
    domain::{
        Timestamp,
        error::{Error, Result},
    },
    infra::entropy::Entropy,
};
use anyhow::anyhow;
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    self as jwt, DecodingKey, EncodingKey,
    jwk::{Jwk, PublicKeyUse, ThumbprintHash},
};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How access tokens are signed (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256.
    Es256,
    /// RSA PKCS#1 v1.5 with 3072 bits, for consumers that know nothing newer.
    Rs256,
    /// HMAC with a secret that every consumer shares.
    Hs256,
}

impl Algorithm {
    /// All of them, the default first.
    pub const ALL: [Self; 4] = [Self::EdDsa, Self::Es256, Self::Rs256, Self::Hs256];

    /// The name in JOSE headers and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }

    /// Reads the name, upper and lower case as in the standard; `None` for any other.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == name)
    }

    pub(super) fn jose(self) -> jwt::Algorithm {
        match self {
            Self::EdDsa => jwt::Algorithm::EdDSA,
            Self::Es256 => jwt::Algorithm::ES256,
            Self::Rs256 => jwt::Algorithm::RS256,
            Self::Hs256 => jwt::Algorithm::HS256,
        }
    }
}

/// A key as it is kept (its private part sealed) in the database.
#[derive(Clone)]
pub struct SigningKey {
    /// The name in the token's header.
    pub kid: String,
    pub algorithm: Algorithm,
    /// PKCS#8 DER; for HS256 the secret's bytes.
    pub private: Zeroizing<Vec<u8>>,
    /// Published at once, but not used for signing before this time.
    pub active_from: Timestamp,
    /// Its tokens are refused from this time on.
    pub retired_at: Option<Timestamp>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "SigningKey({}, {}, ***)",
            self.algorithm.as_str(),
            self.kid
        )
    }
}

impl SigningKey {
    /// A new key, active from `now`. Only Ed25519 and HS256 draw on `entropy`; the others on the library's own system
    /// randomness, because they cannot be made from a seed.
    pub fn generate(algorithm: Algorithm, entropy: &Entropy, now: Timestamp) -> Result<Self> {
        let private = match algorithm {
            Algorithm::EdDsa => {
                let seed = Zeroizing::new(entropy.bytes::<32>());
                let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice());
                pair.ok()
                    .and_then(|pair| pair.to_pkcs8v1().ok())
                    .map(|d| d.as_ref().to_vec())
            }
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|pair| pair.to_pkcs8v1())
                .ok()
                .map(|d| d.as_ref().to_vec()),
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa3072)
                .and_then(|pair| AsDer::<Pkcs8V1Der<'_>>::as_der(&pair))
                .ok()
                .map(|d| d.as_ref().to_vec()),
            Algorithm::Hs256 => Some(entropy.bytes::<64>().to_vec()),
        };
        let private = private.map(Zeroizing::new).ok_or_else(|| {
            Error::internal(anyhow!("no {} key could be made", algorithm.as_str()))
        })?;
        Ok(Self {
            kid: kid(algorithm, &private)?,
            algorithm,
            private,
            active_from: now,
            retired_at: None,
        })
    }

    /// The HS256 key of `JWT_SECRET_KEY`, active from `now`.
    pub fn shared_secret(secret: &[u8], now: Timestamp) -> Result<Self> {
        Ok(Self {
            kid: kid(Algorithm::Hs256, secret)?,
            algorithm: Algorithm::Hs256,
            private: Zeroizing::new(secret.to_vec()),
            active_from: now,
            retired_at: None,
        })
    }
}

/// The two halves of a key in the library's forms, and the public one for the key set unless the key is symmetric.
pub(super) struct Halves {
    pub signing: EncodingKey,
    pub verifying: DecodingKey,
    pub jwk: Option<Jwk>,
}

/// Parses the private part; fails on anything that cannot sign by the algorithm.
pub(super) fn halves(algorithm: Algorithm, private: &[u8]) -> Result<Halves> {
    let unusable = |error: jwt::errors::Error| {
        Error::internal(anyhow::Error::new(error).context("a signing key cannot be read"))
    };
    let signing = match algorithm {
        Algorithm::EdDsa => EncodingKey::from_ed_der(private),
        Algorithm::Es256 => EncodingKey::from_ec_der(private),
        // The library takes PKCS#8 only as PEM here, and wants PKCS#1 as DER.
        Algorithm::Rs256 => EncodingKey::from_rsa_pem(pem(private).as_bytes()).map_err(unusable)?,
        Algorithm::Hs256 if private.is_empty() => {
            return Err(Error::internal(anyhow!("the token secret is empty")));
        }
        Algorithm::Hs256 => {
            return Ok(Halves {
                signing: EncodingKey::from_secret(private),
                verifying: DecodingKey::from_secret(private),
                jwk: None,
            });
        }
    };
    let mut jwk = Jwk::from_encoding_key(&signing, algorithm.jose()).map_err(unusable)?;
    jwk.common.public_key_use = Some(PublicKeyUse::Signature);
    Ok(Halves {
        signing,
        verifying: DecodingKey::from_jwk(&jwk).map_err(unusable)?,
        jwk: Some(jwk),
    })
}

fn kid(algorithm: Algorithm, private: &[u8]) -> Result<String> {
    if let Some(jwk) = halves(algorithm, private)?.jwk {
        return jwk
            .thumbprint(ThumbprintHash::SHA256)
            .map_err(Error::internal);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(private).map_err(Error::internal)?;
    mac.update(b"usher/1/kid");
    Ok(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(pkcs8));
    Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        *body
    ))
}
