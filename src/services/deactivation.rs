//! Putting accounts aside and taking them up again. The data stays; sessions end and links in mails die, but for one that
//! waits for the first confirmation of the address.

use super::{Services, events::person, roles::must_leave_another};
use crate::{
    domain::{
        Result,
        audit::AuditEntry,
        change::Expected,
        client::Client,
        error::Barrier,
        event::EventType,
        id::UserId,
        permission::{Permission, Role},
        session::SessionEnd,
        steward::Steward,
        user::{User, UserStatus},
    },
    storage::{
        Tx, email_changes,
        links::{resets, void_used_verifications},
        roles, sessions, users,
    },
};
use serde_json::json;

const DEACTIVATE: &str = "deactivate_user";
const REACTIVATE: &str = "reactivate_user";
const SOFT_DELETE: &str = "soft_delete_users";

/// By which use case, and for whom, an account is put aside.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    pub action: &'static str,
    pub who: Steward<'a>,
    pub client: &'a Client,
}

impl Services {
    /// Puts an account aside, if it is still as `expected`; one that is aside already stays as it is.
    pub async fn deactivate_user(
        &self,
        who: Steward<'_>,
        id: UserId,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        who.must(Permission::DeactivateUsers)?;
        let by = By {
            action: DEACTIVATE,
            who,
            client,
        };
        let mut done = self.put_aside(by, vec![id], expected).await?;
        done.pop().ok_or(crate::domain::Error::NotFound("user"))
    }

    /// Puts many accounts aside, all or none of them; in the order asked for.
    pub async fn soft_delete_users(
        &self,
        who: Steward<'_>,
        ids: Vec<UserId>,
        client: &Client,
    ) -> Result<Vec<User>> {
        who.must(Permission::DeactivateUsers)?;
        let by = By {
            action: SOFT_DELETE,
            who,
            client,
        };
        self.put_aside(by, ids, &Expected::Any).await
    }

    async fn put_aside(
        &self,
        by: By<'_>,
        ids: Vec<UserId>,
        expected: &Expected,
    ) -> Result<Vec<User>> {
        let mut sorted = ids.clone();
        // In one order, so that two who put the same people aside wait for each other instead of forever.
        sorted.sort_unstable();
        sorted.dedup();
        let mut done = self.put_all_aside(by, &sorted, expected).await?;
        done.sort_by_key(|user| ids.iter().position(|id| *id == user.id));
        Ok(done)
    }

    async fn put_all_aside(
        &self,
        by: By<'_>,
        ids: &[UserId],
        expected: &Expected,
    ) -> Result<Vec<User>> {
        let tx = self.store.begin().await?;
        let mut admins = roles::lock_active_holders(&tx, Role::Admin).await?;
        self.steward_must_hold(&tx, by.who).await?;
        let mut done = Vec::with_capacity(ids.len());
        for id in ids {
            let mut user = self.lock_user(&tx, *id).await?;
            let reached = by.who.must_outrank(&user);
            let put = match reached.and_then(|()| expected.must_be(user.version)) {
                Ok(()) => self.put_one_aside(&tx, &mut user, &admins, by).await,
                Err(why) => Err(why),
            };
            if put.is_err() {
                drop(tx);
                let (actor, client) = (by.who.actor(), by.client);
                return self
                    .trace_refusal(put, (by.action, actor, *id), client)
                    .await
                    .map(|()| Vec::new());
            }
            admins.retain(|admin| admin != id);
            done.push(user);
        }
        self.commit(tx).await?;
        Ok(done)
    }

    async fn put_one_aside(
        &self,
        tx: &Tx,
        user: &mut User,
        admins: &[UserId],
        by: By<'_>,
    ) -> Result<()> {
        if let Some(ended) = self.deactivate(tx, user, admins, by).await? {
            let entry = AuditEntry::success(by.action, by.who.actor(), by.client).on(user.id);
            self.audit(tx, entry.with(json!({ "sessions_ended": ended })))
                .await?;
        }
        Ok(())
    }

    /// Puts a locked account aside within a use case that holds the admins and tells the trail of it; how many sessions
    /// ended, if it was not aside already.
    pub(super) async fn deactivate(
        &self,
        tx: &Tx,
        user: &mut User,
        admins: &[UserId],
        by: By<'_>,
    ) -> Result<Option<u64>> {
        by.who.must_outrank(user)?;
        must_leave_another(admins, user.id)?;
        by.who.must_be_another(user.id)?;
        if !user.deactivate()? {
            return Ok(None);
        }
        let now = self.now();
        users::update_user(tx, user, now).await?;
        resets::void_links(tx, user.id, now).await?;
        void_used_verifications(tx, user.id, now).await?;
        email_changes::void_changes(tx, user.id, now).await?;
        let ended = sessions::end_sessions(tx, user.id, None, SessionEnd::Deactivated, now).await?;
        let data = json!({ "mode": "soft" });
        self.publish(tx, user.id, (EventType::Deleted, data), by.client)
            .await?;
        Ok(Some(ended))
    }

    /// Takes an account up again, if it is still as `expected`; one that its owner has ended only for who may erase it.
    pub async fn reactivate_user(
        &self,
        who: Steward<'_>,
        id: UserId,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        who.must(Permission::DeactivateUsers)?;
        let by = By {
            action: REACTIVATE,
            who,
            client,
        };
        let done = self.take_up(by, id, expected).await;
        self.trace_refusal(done, (REACTIVATE, who.actor(), id), client)
            .await
    }

    async fn take_up(&self, by: By<'_>, id: UserId, expected: &Expected) -> Result<User> {
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, by.who).await?;
        let mut user = self.lock_user(&tx, id).await?;
        by.who.must_outrank(&user)?;
        expected.must_be(user.version)?;
        if self.reactivate(&tx, &mut user, by).await? {
            let entry = AuditEntry::success(by.action, by.who.actor(), by.client).on(user.id);
            self.audit(&tx, entry).await?;
        }
        self.commit(tx).await?;
        Ok(user)
    }

    /// Takes a locked account up again within a use case that tells the trail of it; whether it was not so already.
    pub(super) async fn reactivate(&self, tx: &Tx, user: &mut User, by: By<'_>) -> Result<bool> {
        by.who.must_outrank(user)?;
        if user.status == UserStatus::Terminated && by.who.must(Permission::EraseUsers).is_err() {
            return Err(Barrier::Permission.into());
        }
        if !user.reactivate()? {
            return Ok(false);
        }
        users::update_user(tx, user, self.now()).await?;
        self.publish(tx, user.id, (EventType::Restored, person(user)), by.client)
            .await?;
        Ok(true)
    }
}
