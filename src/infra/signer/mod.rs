//! Signs and verifies access tokens (RFC 7519, RFC 9068). What a token's header says is never believed: it must be, to
//! the letter, the header that we write for the key it names. The library's own clock checks are off; time is `now`.

mod key;
#[cfg(test)]
mod tests;

pub use key::{Algorithm, SigningKey};

use crate::domain::{
    Timestamp,
    claims::{ACCESS_TOKEN_TYPE, AccessClaims, LEEWAY_SECONDS},
    error::{Error, Part, Refusal, Result},
};
use anyhow::anyhow;
use chrono::TimeDelta;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, errors::Result as Decoded};
use moka::sync::Cache;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    cmp::Reverse,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// Longer tokens are refused unread; ours are about 510 bytes.
const MAX_TOKEN_LENGTH: usize = 4096;

/// Keys that are not known are looked for no more often, however many tokens name some.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// So many genuine tokens are known again by their digest, at about 500 bytes each.
const MOST_KNOWN: u64 = 20_000;

/// Signs and verifies access tokens; clones share their keys.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    issuer: String,
    audience: String,
    keys: RwLock<Arc<[Key]>>,
    /// When a key that was not known had been looked for, and whether that could be done; whoever else misses one waits.
    looked: Mutex<Option<(Instant, bool)>>,
    /// Tokens whose signature was checked, by their SHA-256.
    known: Cache<[u8; 32], Arc<Known>>,
}

/// A genuine token.
struct Known {
    kid: String,
    claims: AccessClaims,
}

/// A signing key, parsed once.
struct Key {
    kid: String,
    header: Header,
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    /// Its public part; `None` for a shared secret.
    jwk: Option<Value>,
    active_from: Timestamp,
    retired_at: Option<Timestamp>,
}

impl Key {
    fn parse(key: SigningKey, issuer: &str, audience: &str) -> Result<Self> {
        let algorithm = key.algorithm.jose();
        let mut halves = key::halves(key.algorithm, &key.private)?;
        if let Some(jwk) = &mut halves.jwk {
            jwk.common.key_id = Some(key.kid.clone());
        }
        let jwk = halves.jwk.map(serde_json::to_value).transpose();

        let mut header = Header::new(algorithm);
        header.typ = Some(ACCESS_TOKEN_TYPE.to_owned());
        header.kid = Some(key.kid.clone());

        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp"]);
        validation.validate_exp = false;
        validation.validate_nbf = false;

        Ok(Self {
            kid: key.kid,
            header,
            signing: halves.signing,
            verifying: halves.verifying,
            validation,
            jwk: jwk.map_err(Error::internal)?,
            active_from: key.active_from,
            retired_at: key.retired_at,
        })
    }

    /// What a token says whose header names this key, if the key signed it.
    fn open<T: DeserializeOwned>(&self, token: &str) -> Decoded<T> {
        let token = jsonwebtoken::decode(token, &self.verifying, &self.validation)?;
        Ok(token.claims)
    }

    fn is_retired(&self, now: Timestamp) -> bool {
        self.retired_at.is_some_and(|at| at <= now)
    }
}

impl Signer {
    /// A signer without keys; [`Signer::replace`] brings them.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            issuer: issuer.into(),
            audience: audience.into(),
            keys: RwLock::new(Arc::new([])),
            looked: Mutex::default(),
            known: Cache::new(MOST_KNOWN),
        }))
    }

    /// Takes these keys in place of those it had. If one cannot be read, or there is none, it keeps what it had.
    pub fn replace(&self, keys: Vec<SigningKey>) -> Result<()> {
        if keys.is_empty() {
            return Err(Error::internal(anyhow!("there is no signing key")));
        }
        let parse = |key| Key::parse(key, &self.0.issuer, &self.0.audience);
        let keys = keys
            .into_iter()
            .map(parse)
            .collect::<Result<Arc<[Key]>>>()?;
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// The signed token, by the key that became active last; by the one that will be first if the clock was set back behind all.
    pub fn sign(&self, claims: &AccessClaims, now: Timestamp) -> Result<String> {
        let keys = self.keys();
        let key = keys
            .iter()
            .filter(|key| !key.is_retired(now))
            // The name decides between equals, so that all nodes take the same.
            .max_by_key(|key| {
                let wait = (key.active_from - now).max(TimeDelta::zero());
                (Reverse(wait), key.active_from, &key.kid)
            })
            .ok_or_else(|| Error::internal(anyhow!("there is no signing key")))?;
        jsonwebtoken::encode(&key.header, claims, &key.signing).map_err(Error::internal)
    }

    /// The claims of a token that we made, for us, and that is still in its time.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, Refusal> {
        let claims = self
            .claims_of_genuine(token, now)
            .ok_or(Refusal::TokenInvalid)?;
        let now = now.timestamp();
        if claims.iat > now.saturating_add(LEEWAY_SECONDS) {
            return Err(Refusal::TokenInvalid);
        }
        if claims.exp <= now.saturating_sub(LEEWAY_SECONDS) {
            return Err(Refusal::TokenExpired);
        }
        Ok(claims)
    }

    /// Has the keys read again by `read` if the token names one that is not known here, as one that another node has just made.
    /// Fails where that cannot be done, or could not a moment ago.
    pub async fn look_for_key(
        &self,
        token: &str,
        read: impl AsyncFnOnce() -> Result<()>,
    ) -> Result<()> {
        if self.knows_key_of(token) {
            return Ok(());
        }
        let mut looked = self.0.looked.lock().await;
        if self.knows_key_of(token) {
            return Ok(());
        }
        match *looked {
            Some((at, true)) if at.elapsed() < BETWEEN_LOOKS => return Ok(()),
            Some((at, false)) if at.elapsed() < BETWEEN_LOOKS => {
                return Err(Error::Unavailable(Part::Database));
            }
            _ => {}
        }
        let outcome = read().await;
        *looked = Some((Instant::now(), outcome.is_ok()));
        outcome
    }

    /// Whether reading the keys again would change nothing for this token.
    fn knows_key_of(&self, token: &str) -> bool {
        if token.len() > MAX_TOKEN_LENGTH {
            return true;
        }
        let named = jsonwebtoken::decode_header(token)
            .ok()
            .and_then(|header| header.kid);
        named.is_none_or(|kid| self.keys().iter().any(|key| key.kid == kid))
    }

    /// The public keys (RFC 7517), those not yet active too, so that consumers know them in time. Never a shared secret.
    pub fn jwks(&self, now: Timestamp) -> Value {
        let keys = self.keys();
        let public: Vec<&Value> = keys
            .iter()
            .filter(|key| !key.is_retired(now))
            .filter_map(|key| key.jwk.as_ref())
            .collect();
        json!({ "keys": public })
    }

    /// Everything but time.
    fn claims_of_genuine(&self, token: &str, now: Timestamp) -> Option<AccessClaims> {
        if token.len() > MAX_TOKEN_LENGTH {
            return None;
        }
        let keys = self.keys();
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some(known) = self.0.known.get(&digest) {
            // A key that was withdrawn takes its tokens with it.
            let mut of_key = keys.iter().filter(|key| key.kid == known.kid);
            let holds = of_key.any(|key| !key.is_retired(now));
            return holds.then(|| known.claims.clone());
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        let key = keys
            .iter()
            .find(|key| header == key.header && !key.is_retired(now))?;
        // `aud` is one string in our claims, so a list that has us among others does not pass.
        let claims: AccessClaims = key.open(token).ok()?;
        let known = Known {
            kid: key.kid.clone(),
            claims: claims.clone(),
        };
        self.0.known.insert(digest, Arc::new(known));
        Some(claims)
    }

    fn keys(&self) -> Arc<[Key]> {
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&keys)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}
