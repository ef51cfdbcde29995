//! Wrong passwords are counted, and after too many in a row (NIST SP 800-63B-4, section 3.2.2) the password waits for a
//! reset by mail, except on devices that the person has signed in from before. A sign-in and a proof of the password inside
//! a session count alike.

use super::Services;
use crate::{
    domain::{
        Result, actor::Actor, audit::AuditEntry, client::Client, event::EventType, id::UserId,
        mail::Mail, password::Password, secret::BlindIndex, user::User,
    },
    infra::hasher::Verdict,
    storage::{
        Db, Store, Tx,
        credentials::{self, Credential},
    },
};
use serde_json::json;

const ACTION: &str = "lock_account";

/// What a password is judged by.
pub(super) struct Guard {
    pub credential: Option<Credential>,
    pub device_index: BlindIndex,
    /// Known devices have a count of their own.
    pub is_known_device: bool,
    /// Wrong passwords in a row that count here.
    failures: i64,
}

impl Guard {
    /// The device that a wrong password counts for, if the person knows it.
    pub fn known_device(&self) -> Option<BlindIndex> {
        self.is_known_device.then_some(self.device_index)
    }
}

impl Services {
    /// What a password of this person on this device is judged by; asks the same of the database about an id that nobody has.
    pub(super) async fn guard_of(
        &self,
        db: &impl Db,
        id: UserId,
        client: &Client,
    ) -> Result<Guard> {
        let device_index = self.device_index(client);
        let guard = credentials::find_guard(db, id, device_index).await?;
        Ok(Guard {
            credential: guard.credential,
            device_index,
            is_known_device: guard.device_failures.is_some(),
            failures: guard.device_failures.unwrap_or(guard.failures),
        })
    }

    /// Compares the password; does the same work where there is nothing to compare with, or too many were wrong.
    pub(super) async fn judge(&self, guard: &Guard, password: Password) -> Result<Verdict> {
        let is_within = guard.failures < i64::from(self.policy.max_failures);
        let open = guard.credential.as_ref().filter(|credential| {
            is_within && (guard.is_known_device || credential.locked_at.is_none())
        });
        if let Some(credential) = open {
            self.hasher.verify(password, credential.hash.clone()).await
        } else {
            self.hasher.verify_nobody(password).await?;
            Ok(Verdict::Wrong)
        }
    }

    /// Counts a wrong password, and from too many in a row on lets only known devices and a reset through, or, where a known
    /// device has guessed, not that device; the person's row is locked.
    pub(super) async fn count_wrong(
        &self,
        tx: &Tx,
        user: &User,
        known_device: Option<BlindIndex>,
        client: &Client,
    ) -> Result<()> {
        let client = Client::local(client.request_id.clone());
        let entry = AuditEntry::success(ACTION, Actor::System, &client).on(user.id);
        if let Some(device) = known_device {
            let failures = credentials::count_device_failure(tx, user.id, device).await?;
            if failures != Some(self.policy.max_failures) {
                return Ok(());
            }
            self.audit(tx, entry.with(json!({ "device": true })))
                .await?;
            return self.mail_lock(tx, user, &client).await;
        }
        let Some(failures) = credentials::count_failure(tx, user.id).await? else {
            return Ok(());
        };
        if failures < self.policy.max_failures {
            return Ok(());
        }
        credentials::lock(tx, user.id, self.now()).await?;
        self.audit(tx, entry).await?;
        let data = json!({ "failures": failures });
        self.publish(tx, user.id, (EventType::Locked, data), &client)
            .await?;
        self.mail_lock(tx, user, &client).await
    }

    async fn mail_lock(&self, tx: &Tx, user: &User, client: &Client) -> Result<()> {
        let mail = Mail::AccountLocked {
            at: self.now(),
            reset_link: self.forgot_password_page(),
        };
        self.queue_mail(tx, (user, &user.email), &mail, client)
            .await
    }

    /// Forgets the wrong passwords before a right one inside a session.
    pub(super) async fn forget_wrong(&self, id: UserId, guard: &Guard) -> Result<()> {
        if guard.failures == 0 {
            return Ok(());
        }
        self.record_failed_logins_of(id).await?;
        let tx = self.store.begin().await?;
        self.try_lock_user(&tx, id).await?;
        if guard.is_known_device {
            credentials::forget_device_failures(&tx, id, guard.device_index).await?;
        } else {
            credentials::forget_failures(&tx, id).await?;
        }
        Store::commit(tx.aside()).await
    }
}
