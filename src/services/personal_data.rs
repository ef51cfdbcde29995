//! Sealing and opening personal data. Every person has a data key of their own, wrapped by a master key and kept in
//! `user_keys`; what it sealed is unreadable once that row is gone. The service's own key seals what belongs to nobody.

use super::{Inner, Parts, Services};
use crate::{
    domain::{
        Error, Result,
        actor::SignedIn,
        client::Client,
        email::EmailAddress,
        error::Refusal,
        id::UserId,
        secret::{BlindIndex, Sealed, WrappedKey},
        user::User,
    },
    infra::vault::DataKey,
    storage::{Db, Tx, audit::SealedOrigin, keys, users::StoredUser},
};
use moka::sync::Cache;
use std::{collections::HashMap, time::Duration};

/// The name of the service's own data key.
pub(super) const SERVICE_KEY: &str = "service";

/// How many people's data keys are kept at hand.
const CACHED_KEYS: u64 = 10_000;
/// For how long: another node may have erased the person meanwhile.
const CACHED_FOR: Duration = Duration::from_mins(5);

/// Column names that bind a sealed value to its place.
pub(super) mod field {
    pub const EMAIL: &str = "users.email";
    pub const SESSION_IP: &str = "user_sessions.ip";
    pub const SESSION_USER_AGENT: &str = "user_sessions.user_agent";
    pub const NEW_EMAIL: &str = "email_changes.new_email";
    pub const OLD_EMAIL: &str = "email_changes.old_email";
    pub const AUDIT_IP: &str = "audit_log.ip";
    pub const AUDIT_USER_AGENT: &str = "audit_log.user_agent";
    pub const EVENT_DATA: &str = "outbox_events.data";
    pub const ANSWER: &str = "idempotency_keys.answer";
    pub const AVATAR_LARGE: &str = "avatars.large";
    pub const AVATAR_SMALL: &str = "avatars.small";
    pub const ASKED_EMAIL: &str = "mail_requests.email";
    pub const ASKED_FORM: &str = "mail_requests.form";
    pub const ASKED_ORIGIN: &str = "mail_requests.origin";
    pub const FAILED_ORIGIN: &str = "failed_logins.origin";
    pub const MAIL: &str = "outbox_mails.message";
    pub const PROFILE: &str = "user_profiles.details";
    pub const PREFERENCES: &str = "user_preferences.details";
    pub const SIGNING_KEY: &str = "signing_keys.private";
    pub const WEBHOOK_URL: &str = "webhooks.url";
    pub const WEBHOOK_SECRET: &str = "webhooks.secret";
}

/// Data keys at hand.
pub struct DataKeys {
    pub(super) service: DataKey,
    users: Cache<UserId, DataKey>,
}

impl DataKeys {
    /// Opens the service's own key; in a new database makes it (the first of several nodes wins).
    pub(super) async fn load(parts: &Parts) -> Result<Self> {
        let (store, vault) = (&parts.store, &parts.vault);
        let wrapped =
            if let Some(wrapped) = keys::find_vault_key(store.reader(), SERVICE_KEY).await? {
                wrapped
            } else {
                let fresh = vault.wrap(&vault.new_data_key(), SERVICE_KEY)?;
                let tx = store.begin().await?;
                keys::insert_vault_key(&tx, SERVICE_KEY, fresh, parts.clock.now()).await?;
                let winner = keys::find_vault_key(&tx, SERVICE_KEY).await?;
                crate::storage::Store::commit(tx).await?;
                winner.ok_or_else(|| {
                    Error::internal(anyhow::anyhow!("the service's data key was not kept"))
                })?
            };
        Ok(Self {
            service: vault.unwrap(&wrapped, SERVICE_KEY)?,
            users: Cache::builder()
                .max_capacity(CACHED_KEYS)
                .time_to_live(CACHED_FOR)
                .build(),
        })
    }

    /// Forgets every person's data key.
    pub(super) fn forget_users(&self) {
        self.users.invalidate_all();
    }
}

impl Inner {
    /// The service's own data key.
    pub(super) fn service_key(&self) -> &DataKey {
        &self.data_keys.service
    }

    /// Makes the data key of a new person.
    pub(super) async fn create_user_key(&self, tx: &Tx, id: UserId) -> Result<DataKey> {
        let key = self.vault.new_data_key();
        let wrapped = self.vault.wrap(&key, &id.to_string())?;
        keys::insert_user_key(tx, id, wrapped, self.clock.now()).await?;
        Ok(key)
    }

    /// A person's data key; an error after erasure.
    pub(super) async fn user_key(&self, db: &impl Db, id: UserId) -> Result<DataKey> {
        self.find_user_key(db, id)
            .await?
            .ok_or_else(|| Error::internal(anyhow::anyhow!("user {id} has no data key")))
    }

    /// A person's data key; none after erasure.
    pub(super) async fn find_user_key(&self, db: &impl Db, id: UserId) -> Result<Option<DataKey>> {
        if let Some(key) = self.data_keys.users.get(&id) {
            return Ok(Some(key));
        }
        let wrapped = keys::find_user_key(db, id).await?;
        wrapped
            .map(|wrapped| self.unwrap_key(id, &wrapped))
            .transpose()
    }

    fn unwrap_key(&self, id: UserId, wrapped: &WrappedKey) -> Result<DataKey> {
        let key = self.vault.unwrap(wrapped, &id.to_string())?;
        self.data_keys.users.insert(id, key.clone());
        Ok(key)
    }

    /// Destroys a person's data key; [`forget_user_key`](Self::forget_user_key) follows the commit.
    pub(super) async fn destroy_user_key(&self, tx: &Tx, id: UserId) -> Result<()> {
        keys::delete_user_key(tx, id).await
    }

    /// Forgets a destroyed data key.
    pub(super) fn forget_user_key(&self, id: UserId) {
        self.data_keys.users.invalidate(&id);
    }

    /// Opens the addresses of many stored people with one query for their keys; who was erased meanwhile is left out.
    pub(super) async fn open_users(
        &self,
        db: &impl Db,
        people: Vec<StoredUser>,
    ) -> Result<Vec<User>> {
        let mut at_hand = HashMap::new();
        let mut missing = Vec::new();
        for user in &people {
            match self.data_keys.users.get(&user.id) {
                Some(key) => drop(at_hand.insert(user.id, key)),
                None => missing.push(user.id),
            }
        }
        if !missing.is_empty() {
            for (id, wrapped) in keys::list_user_keys(db, missing).await? {
                at_hand.insert(id, self.unwrap_key(id, &wrapped)?);
            }
        }
        let mut opened = Vec::with_capacity(people.len());
        for user in people {
            if let Some(key) = at_hand.get(&user.id) {
                let email = open_email(key, field::EMAIL, &user.email)?;
                opened.push(user.with_email(email));
            }
        }
        Ok(opened)
    }

    /// The keyed hash under which an address is found.
    pub(super) fn email_index(&self, email: &EmailAddress) -> BlindIndex {
        self.service_key().blind_index("email", email.as_str())
    }

    /// The keyed hash under which a device is known again.
    pub(super) fn device_index(&self, client: &Client) -> BlindIndex {
        self.service_key()
            .blind_index("device", &client.device_key())
    }

    /// Opens a stored person's address.
    pub(super) async fn open_user(&self, db: &impl Db, user: StoredUser) -> Result<User> {
        let key = self.user_key(db, user.id).await?;
        let email = open_email(&key, field::EMAIL, &user.email)?;
        Ok(user.with_email(email))
    }

    /// The same without a lock on the row: none if the person was erased since it was read.
    pub(super) async fn try_open_user(
        &self,
        db: &impl Db,
        user: StoredUser,
    ) -> Result<Option<User>> {
        Ok(self.open_users(db, vec![user]).await?.pop())
    }

    /// Seals a short text.
    pub(super) fn seal(&self, key: &DataKey, field: &str, text: &str) -> Result<Sealed> {
        key.seal(field, text.as_bytes(), &self.entropy)
    }

    /// Seals where a request came from, under the key of the person concerned or the service's own; of an erased person
    /// nothing is kept.
    pub(super) async fn seal_origin(
        &self,
        db: &impl Db,
        owner: Option<UserId>,
        client: &Client,
    ) -> Result<SealedOrigin> {
        let key = match owner {
            Some(id) => match self.find_user_key(db, id).await? {
                Some(key) => key,
                None => return Ok(SealedOrigin::default()),
            },
            None => self.service_key().clone(),
        };
        let ip = client.ip.map(|ip| ip.to_string());
        let seal =
            |field, text: Option<&str>| text.map(|text| self.seal(&key, field, text)).transpose();
        Ok(SealedOrigin {
            key_owner: owner,
            ip_index: ip
                .as_deref()
                .map(|ip| self.service_key().blind_index("ip", ip)),
            ip: seal(field::AUDIT_IP, ip.as_deref())?,
            user_agent: seal(field::AUDIT_USER_AGENT, client.user_agent.as_deref())?,
        })
    }
}

/// Opens a sealed text.
pub(super) fn open_text(key: &DataKey, field: &str, sealed: &Sealed) -> Result<String> {
    let plain = key.open(field, sealed)?;
    String::from_utf8(plain.to_vec())
        .map_err(|_| Error::internal(anyhow::anyhow!("{field} holds no text")))
}

impl Services {
    /// A person by address.
    pub(super) async fn find_by_email(
        &self,
        db: &impl Db,
        email: &EmailAddress,
    ) -> Result<Option<User>> {
        match crate::storage::users::find_user_by_email(db, self.email_index(email)).await? {
            Some(user) => self.try_open_user(db, user).await,
            None => Ok(None),
        }
    }

    /// A person by address, the row held until the transaction ends.
    pub(super) async fn lock_by_email(
        &self,
        tx: &Tx,
        email: &EmailAddress,
    ) -> Result<Option<User>> {
        let Some(found) = self.find_by_email(tx, email).await? else {
            return Ok(None);
        };
        let user = self.try_lock_user(tx, found.id).await?;
        // Until the row was held the address could change hands.
        Ok(user.filter(|user| user.email == *email))
    }

    /// A person by id, the row held until the transaction ends.
    pub(super) async fn lock_user(&self, tx: &Tx, id: UserId) -> Result<User> {
        let user = self.try_lock_user(tx, id).await?;
        user.ok_or(Error::NotFound("user"))
    }

    /// The same for who is signed in, as nobody is any more once they are erased.
    pub(super) async fn lock_self(&self, tx: &Tx, who: &SignedIn) -> Result<User> {
        match self.lock_user(tx, who.user.id).await {
            Err(Error::NotFound(_)) => Err(Refusal::SessionEnded.into()),
            locked => locked,
        }
    }

    /// The same for who shows a mailed secret of theirs, which is worth nothing once they are erased.
    pub(super) async fn lock_owner(&self, tx: &Tx, id: UserId) -> Result<User> {
        self.try_lock_user(tx, id).await?.ok_or(Error::BadToken)
    }

    /// The same; none once they are erased.
    pub(super) async fn try_lock_user(&self, tx: &Tx, id: UserId) -> Result<Option<User>> {
        match crate::storage::users::lock_user(tx, id).await? {
            Some(user) => Ok(Some(self.open_user(tx, user).await?)),
            None => Ok(None),
        }
    }
}

/// Opens a sealed address.
pub(super) fn open_email(key: &DataKey, field: &str, sealed: &Sealed) -> Result<EmailAddress> {
    let text = open_text(key, field, sealed)?;
    EmailAddress::kept(&text)
        .map_err(|_| Error::internal(anyhow::anyhow!("{field} holds no address")))
}
