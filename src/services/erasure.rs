//! Erasing people: the row, all tables, what waits for them, and their data key, so that whatever it has sealed elsewhere
//! (audit trail, event history, backups without keys) is unreadable. What stays names an id and nothing else.

use super::{Services, roles::must_leave_another};
use crate::{
    domain::{
        Result,
        audit::AuditEntry,
        change::Expected,
        client::Client,
        id::UserId,
        permission::{Permission, Role},
        steward::Steward,
    },
    storage::{Tx, roles, users},
};

const ACTION: &str = "erase_user";

impl Services {
    /// Erases a person for good; an active admin is left.
    pub async fn erase_user(
        &self,
        who: Steward<'_>,
        id: UserId,
        expected: &Expected,
        client: &Client,
    ) -> Result<()> {
        who.must(Permission::EraseUsers)?;
        let done = self.apply_erasure(who, id, expected, client).await;
        self.trace_refusal(done, (ACTION, who.actor(), id), client)
            .await?;
        self.forget_user_key(id);
        self.store.fold_log().await
    }

    async fn apply_erasure(
        &self,
        who: Steward<'_>,
        id: UserId,
        expected: &Expected,
        client: &Client,
    ) -> Result<()> {
        who.must_be_fresh(self.now(), self.policy.reauth_max_age)?;
        let tx = self.store.begin().await?;
        let admins = roles::lock_active_holders(&tx, Role::Admin).await?;
        self.steward_must_hold(&tx, who).await?;
        let user = self.lock_user(&tx, id).await?;
        who.must_outrank(&user)?;
        expected.must_be(user.version)?;
        must_leave_another(&admins, id)?;
        self.audit(&tx, AuditEntry::success(ACTION, who.actor(), client).on(id))
            .await?;
        self.publish_erasure(&tx, id, client).await?;
        self.delete_person(&tx, id).await?;
        self.commit(tx).await
    }

    /// Deletes a locked person with everything that is theirs.
    async fn delete_person(&self, tx: &Tx, id: UserId) -> Result<()> {
        users::delete_user(tx, id).await?;
        self.destroy_user_key(tx, id).await
    }
}
