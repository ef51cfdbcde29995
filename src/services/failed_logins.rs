//! Refused sign-ins. Before the answer one row is written, the same for nobody, a wrong password and an account that is not
//! told of, so that the answer's time tells nothing; it counts at once. Audit entry, event and lock follow, once, when it goes on record.

use super::{Services, before, personal_data::field};
use crate::{
    domain::{
        Result,
        audit::{AuditEntry, Outcome},
        client::Client,
        error::{Barrier, Refusal},
        event::EventType,
        failed_login::FailedLogin,
        id::UserId,
        secret::BlindIndex,
    },
    infra::tracer,
    storage::{
        Store,
        failed_logins::{self, StoredFailure},
    },
};
use serde_json::json;
use std::time::Duration;

const ACTION: &str = "login";
/// How many failures one round takes.
const BATCH: u64 = 20;
/// Who has taken a failure and has not recorded it by then is taken for dead.
const LEASE: Duration = Duration::from_secs(30);
/// At most so many are recorded before the sign-in that follows them.
const MOST_BEFORE: u64 = 200;

impl Services {
    /// Refuses a sign-in, and writes down that it is to be recorded. Nothing here may depend on who was meant; `device` is the
    /// one it counts for, if they know it.
    pub(super) async fn fail_login<T>(
        &self,
        kind: FailedLogin,
        user_id: UserId,
        device: Option<BlindIndex>,
        client: &Client,
    ) -> Result<T> {
        let failure = StoredFailure {
            id: self.new_id(),
            kind,
            user_id,
            device,
            origin: self.keep_origin(field::FAILED_ORIGIN, client)?,
            request_id: client.request_id.clone(),
            created_at: self.now(),
        };
        let tx = self.store.begin().await?;
        failed_logins::insert_failure(&tx, failure).await?;
        Store::commit(tx.aside()).await?;
        self.login_failed.notify_one();
        client.trace.note_audited();
        Err(Refusal::InvalidCredentials.into())
    }

    /// Puts refused sign-ins on record, a batch; how many were taken. One that fails is taken again later.
    pub async fn record_failed_logins(&self) -> Result<usize> {
        if self.count_failed_logins().await? == 0 {
            return Ok(0);
        }
        let now = self.now();
        let tx = self.store.begin().await?;
        let taken = failed_logins::take_failures(&tx, BATCH, now, before(now, LEASE)).await?;
        Store::commit(tx).await?;
        if !taken.is_empty() {
            tracer::root("record_failed_logins", self.record_each(&taken)).await?;
        }
        Ok(taken.len())
    }

    async fn record_each(&self, taken: &[StoredFailure]) -> Result<()> {
        for failure in taken {
            if let Err(error) = self.record_failed_login(failure).await {
                tracing::warn!(failed_login_id = %failure.id, error = ?error, "a refused sign-in has to wait for its record");
            }
        }
        Ok(())
    }

    /// Puts a person's refused sign-ins on record before one that succeeds, so that none is counted after it.
    pub(super) async fn record_failed_logins_of(&self, user: UserId) -> Result<()> {
        let waiting =
            failed_logins::list_failures_of(self.store.reader(), user, MOST_BEFORE).await?;
        for failure in &waiting {
            self.record_failed_login(failure).await?;
        }
        Ok(())
    }

    async fn record_failed_login(&self, failure: &StoredFailure) -> Result<()> {
        let client =
            self.recall_client(field::FAILED_ORIGIN, &failure.origin, &failure.request_id)?;
        let code = Refusal::InvalidCredentials.code();
        let tx = self.store.begin().await?;
        if !failed_logins::delete_failure(&tx, failure.id).await? {
            // Our time had run out, or the person has signed in meanwhile.
            return Ok(());
        }
        let user = self.try_lock_user(&tx, failure.user_id).await?;
        match (user, failure.kind) {
            (None, _) => {
                let entry = AuditEntry::refusal(ACTION, Outcome::Failed, code, &client);
                self.audit(&tx, entry).await?;
            }
            (Some(user), FailedLogin::Terminated) => {
                let entry = AuditEntry::refusal(ACTION, Outcome::Refused, code, &client);
                self.audit(&tx, entry.on(user.id)).await?;
            }
            (Some(user), FailedLogin::Unconfirmed) => {
                let code = Barrier::EmailNotVerified.code();
                let entry = AuditEntry::refusal(ACTION, Outcome::Refused, code, &client);
                self.audit(&tx, entry.on(user.id)).await?;
            }
            (Some(user), FailedLogin::WrongPassword) => {
                let event = (EventType::LoginFailed, json!({ "reason": code }));
                self.publish(&tx, user.id, event, &client).await?;
                let entry = AuditEntry::refusal(ACTION, Outcome::Failed, code, &client);
                self.audit(&tx, entry.on(user.id)).await?;
                self.count_wrong(&tx, &user, failure.device, &client)
                    .await?;
            }
        }
        self.commit(tx.aside()).await
    }

    /// How many refused sign-ins are not yet on record.
    pub async fn count_failed_logins(&self) -> Result<u64> {
        failed_logins::count_failures(self.store.reader()).await
    }

    /// Waits until a sign-in was refused here, or for `at_most`.
    pub async fn wait_for_failed_login(&self, at_most: Duration) {
        let failed = self.login_failed.notified();
        let _ = tokio::time::timeout(at_most, failed).await;
    }
}
