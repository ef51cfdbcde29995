//! Wrong passwords are counted, and after too many in a row (NIST SP 800-63B-4, section 3.2.2) the password waits for a
//! reset by mail, except on devices that the person has signed in from before. A sign-in and a proof of the password inside
//! a session count alike.

use super::Services;
use crate::{
    domain::{
        Result,
        actor::Actor,
        audit::{AuditEntry, Outcome},
        client::Client,
        error::Refusal,
        event::EventType,
        id::UserId,
        mail::Mail,
        password::Password,
        secret::BlindIndex,
        user::User,
    },
    infra::hasher::Verdict,
    storage::{
        Db, Store, Tx,
        credentials::{self, Credential, KnownDevice},
    },
};
use serde_json::json;

/// What a password is judged by.
pub(super) struct Guard {
    pub credential: Option<Credential>,
    pub device_index: BlindIndex,
    /// Known devices have a count of their own.
    pub device: Option<KnownDevice>,
}

impl Services {
    /// What a password of this person on this device is judged by.
    pub(super) async fn guard_of(
        &self,
        db: &impl Db,
        id: UserId,
        client: &Client,
    ) -> Result<Guard> {
        let device_index = self.device_index(client);
        Ok(Guard {
            credential: credentials::find_credential(db, id).await?,
            device: credentials::find_device(db, id, device_index).await?,
            device_index,
        })
    }

    /// Compares the password; does the same work where there is nothing to compare with, or too many were wrong.
    pub(super) async fn judge(&self, guard: &Guard, password: Password) -> Result<Verdict> {
        let open = guard
            .credential
            .as_ref()
            .filter(|credential| match guard.device {
                Some(device) => device.failures < self.policy.max_failures,
                None => credential.locked_at.is_none(),
            });
        if let Some(credential) = open {
            self.hasher.verify(password, credential.hash.clone()).await
        } else {
            self.hasher.verify_nobody(password).await?;
            Ok(Verdict::Wrong)
        }
    }

    /// Notes a wrong password at sign-in, and refuses it.
    pub(super) async fn fail_login<T>(
        &self,
        user: &User,
        guard: &Guard,
        client: &Client,
    ) -> Result<T> {
        let code = Refusal::InvalidCredentials.code();
        let tx = self.store.begin().await?;
        let Some(user) = self.try_lock_user(&tx, user.id).await? else {
            drop(tx);
            return self.fail_unknown(client).await;
        };
        self.publish(
            &tx,
            user.id,
            (EventType::LoginFailed, json!({ "reason": code })),
            client,
        )
        .await?;
        self.audit(
            &tx,
            AuditEntry::refusal("login", Outcome::Failed, code, client).on(user.id),
        )
        .await?;
        self.count_wrong(&tx, &user, guard, client).await?;
        self.commit(tx).await?;
        Err(Refusal::InvalidCredentials.into())
    }

    /// Counts a wrong password, and from too many in a row on lets only known devices and a reset through; the person's row
    /// is locked.
    pub(super) async fn count_wrong(
        &self,
        tx: &Tx,
        user: &User,
        guard: &Guard,
        client: &Client,
    ) -> Result<()> {
        if guard.device.is_some() {
            return credentials::count_device_failure(tx, user.id, guard.device_index).await;
        }
        let failures = credentials::count_failure(tx, user.id).await?;
        if failures != self.policy.max_failures {
            return Ok(());
        }
        let now = self.now();
        credentials::lock(tx, user.id, now).await?;
        let client = Client::local(client.request_id.clone());
        self.audit(
            tx,
            AuditEntry::success("lock_account", Actor::System, &client).on(user.id),
        )
        .await?;
        let data = json!({ "failures": failures });
        self.publish(tx, user.id, (EventType::Locked, data), &client)
            .await?;
        let mail = Mail::AccountLocked {
            at: now,
            reset_link: self.forgot_password_page(),
        };
        self.queue_mail(tx, user, &user.email, &mail).await
    }

    /// Forgets the wrong passwords before a right one inside a session.
    pub(super) async fn forget_wrong(&self, id: UserId, guard: &Guard) -> Result<()> {
        let failures = match (&guard.device, &guard.credential) {
            (Some(device), _) => device.failures,
            (None, Some(credential)) => credential.failures,
            (None, None) => 0,
        };
        if failures == 0 {
            return Ok(());
        }
        let tx = self.store.begin().await?;
        self.try_lock_user(&tx, id).await?;
        if guard.device.is_some() {
            credentials::forget_device_failures(&tx, id, guard.device_index).await?;
        } else {
            credentials::forget_failures(&tx, id).await?;
        }
        Store::commit(tx).await
    }
}
