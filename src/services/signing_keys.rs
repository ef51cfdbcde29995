//! The keys that sign access tokens: made at first start, published before they are used, replaced with an overlap
//! that lets every token live out its time.

use super::{
    Services, after,
    personal_data::{SERVICE_KEY, field},
};
use crate::{
    domain::{
        Error, Result, Timestamp, actor::Actor, audit::AuditEntry, claims::AccessClaims,
        client::Client, error::Refusal,
    },
    infra::{
        signer::{Algorithm, SigningKey},
        tracer,
    },
    storage::{
        Store, Tx,
        keys::{self, StoredSigningKey},
    },
};
use serde_json::{Value, json};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a new key is published before it signs: other services keep our key set for five minutes.
const LEAD: Duration = Duration::from_mins(10);

/// How soon a new key takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It is published before it signs; the others retire when their last token has expired.
    Published,
    /// It signs before other services can have fetched it.
    AtOnce,
    /// And no token that another key has signed is believed any more.
    Revoking,
}

/// A signing key without its secret.
pub struct SigningKeyView {
    pub kid: String,
    pub algorithm: String,
    pub created_at: Timestamp,
    pub active_from: Timestamp,
    pub retired_at: Option<Timestamp>,
}

impl Services {
    /// Reads the signing keys. Called at start and each minute, so that what another node or the command line has rotated
    /// is known here.
    pub async fn load_signing_keys(&self) -> Result<()> {
        if self.signing.is_none() {
            return Ok(());
        }
        let stored = keys::list_signing_keys(self.store.reader()).await?;
        if stored.is_empty() {
            // Nobody has served from this database yet.
            return Ok(());
        }
        let now = self.now();
        let live = stored
            .into_iter()
            .filter(|key| key.retired_at.is_none_or(|at| at > now));
        let keys = live
            .map(|key| self.open_signing_key(key))
            .collect::<Result<Vec<_>>>()?;
        self.signer.replace(keys)
    }

    /// What an access token claims, if it is genuine and in its time; its key may have been made elsewhere a moment ago.
    pub(super) async fn claims_of(&self, bearer: &str) -> Result<Result<AccessClaims, Refusal>> {
        let verified = self.signer.verify(bearer, self.now());
        if verified != Err(Refusal::TokenInvalid) {
            return Ok(verified);
        }
        let read = async || self.load_signing_keys().await;
        self.signer.look_for_key(bearer, read).await?;
        Ok(self.signer.verify(bearer, self.now()))
    }

    /// Makes a key of the algorithm that is set if none signs with it, which only who serves may: in a new database one
    /// that signs at once, else one that is published first, as in every rotation. Of several nodes that start at once one
    /// makes it, and all others read it, also those that looked for keys before it was there.
    pub async fn make_missing_signing_key(&self) -> Result<()> {
        let Some((algorithm, _)) = self.signing else {
            return Ok(());
        };
        let has_key = |stored: &[StoredSigningKey]| stored.iter().any(|key| signs(key, algorithm));
        if !has_key(&keys::list_signing_keys(self.store.reader()).await?) {
            let client = Client::local(self.new_request_id());
            let tx = self.store.begin().await?;
            keys::lock_vault_key(&tx, SERVICE_KEY).await?;
            let stored = keys::list_signing_keys(&tx).await?;
            if !has_key(&stored) {
                let until = after(self.now(), LEAD);
                let mut others = stored.iter().map(|key| key.retired_at);
                let others_sign = others.any(|retired_at| retired_at.is_none_or(|at| at > until));
                let lead = if others_sign { LEAD } else { Duration::ZERO };
                self.add_signing_key(&tx, algorithm, lead, &client).await?;
                Store::commit(tx).await?;
            }
        }
        self.load_signing_keys().await
    }

    /// Makes a new signing key and lets the others retire.
    pub async fn rotate_signing_keys(&self, rotation: Rotation, client: &Client) -> Result<String> {
        let Some((algorithm, _)) = self.signing else {
            let why = "JWT_SECRET_KEY signs the tokens: change it in the configuration instead";
            return Err(Error::invalid("JWT_SECRET_KEY", "not_rotatable", why));
        };
        let lead = match rotation {
            Rotation::Published => LEAD,
            Rotation::AtOnce | Rotation::Revoking => Duration::ZERO,
        };
        let tx = self.store.begin().await?;
        keys::lock_vault_key(&tx, SERVICE_KEY).await?;
        let kid = self.add_signing_key(&tx, algorithm, lead, client).await?;
        if rotation == Rotation::Revoking {
            keys::revoke_signing_keys_but(&tx, &kid, self.now()).await?;
        }
        Store::commit(tx).await?;
        self.load_signing_keys().await?;
        Ok(kid)
    }

    /// Rotates when the newest key has reached its age.
    pub async fn rotate_aged_signing_keys(&self) -> Result<()> {
        let Some((algorithm, age)) = self.signing else {
            return Ok(());
        };
        if !self.is_aged(&keys::list_signing_keys(self.store.reader()).await?, age) {
            return Ok(());
        }
        tracer::root(
            "rotate_aged_signing_keys",
            self.rotate_if_aged(algorithm, age),
        )
        .await
    }

    async fn rotate_if_aged(&self, algorithm: Algorithm, age: Duration) -> Result<()> {
        let tx = self.store.begin().await?;
        keys::lock_vault_key(&tx, SERVICE_KEY).await?;
        // Another node may have been at it while this one waited.
        if self.is_aged(&keys::list_signing_keys(&tx).await?, age) {
            let client = Client::local(self.new_request_id());
            self.add_signing_key(&tx, algorithm, LEAD, &client).await?;
            Store::commit(tx).await?;
        }
        self.load_signing_keys().await
    }

    fn is_aged(&self, keys: &[StoredSigningKey], age: Duration) -> bool {
        let newest = keys.iter().map(|key| key.active_from).max();
        newest.is_some_and(|newest| after(newest, age) <= self.now())
    }

    async fn add_signing_key(
        &self,
        tx: &Tx,
        algorithm: Algorithm,
        lead: Duration,
        client: &Client,
    ) -> Result<String> {
        let now = self.now();
        let active_from = after(now, lead);
        let key = SigningKey::generate(algorithm, &self.entropy, active_from)?;
        let private = self
            .service_key()
            .seal(field::SIGNING_KEY, &key.private, &self.entropy)?;
        let row = StoredSigningKey {
            kid: key.kid.clone(),
            algorithm: algorithm.as_str().to_owned(),
            private,
            created_at: now,
            active_from,
            retired_at: None,
        };
        keys::insert_signing_key(tx, row).await?;
        self.retire_others(tx, &key.kid, active_from).await?;
        let entry = AuditEntry::success("rotate_signing_keys", Actor::System, client);
        self.audit(tx, entry.with(json!({ "kid": key.kid })))
            .await?;
        Ok(key.kid)
    }

    async fn retire_others(&self, tx: &Tx, kid: &str, active_from: Timestamp) -> Result<()> {
        let leeway = Duration::from_mins(1);
        keys::retire_signing_keys_but(tx, kid, after(active_from, self.policy.access_ttl + leeway))
            .await
    }

    fn open_signing_key(&self, key: StoredSigningKey) -> Result<SigningKey> {
        let algorithm = Algorithm::parse(&key.algorithm);
        let private = self.service_key().open(field::SIGNING_KEY, &key.private)?;
        Ok(SigningKey {
            kid: key.kid,
            algorithm: algorithm
                .ok_or_else(|| Error::internal(anyhow::anyhow!("a signing key of unknown kind")))?,
            private: Zeroizing::new(private.to_vec()),
            active_from: key.active_from,
            retired_at: key.retired_at,
        })
    }

    /// All signing keys, newest first, without their secrets.
    pub async fn list_signing_keys(&self) -> Result<Vec<SigningKeyView>> {
        let keys = keys::list_signing_keys(self.store.reader()).await?;
        let view = |key: StoredSigningKey| SigningKeyView {
            kid: key.kid,
            algorithm: key.algorithm,
            created_at: key.created_at,
            active_from: key.active_from,
            retired_at: key.retired_at,
        };
        Ok(keys.into_iter().map(view).collect())
    }

    /// The published key set (RFC 7517).
    pub fn jwks(&self) -> Value {
        self.signer.jwks(self.now())
    }
}

/// Whether new tokens can be signed with this key.
fn signs(key: &StoredSigningKey, algorithm: Algorithm) -> bool {
    key.retired_at.is_none() && key.algorithm == algorithm.as_str()
}
