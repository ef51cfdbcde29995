//! Asking a person for another password, for one that may be known to others: sessions end, a reset link goes out, and
//! until the new password is set the old one opens nothing.

use super::{Services, password_reset::may_reset};
use crate::{
    domain::{
        Result, audit::AuditEntry, client::Client, error::Clash, id::UserId, mail::Mail,
        permission::Permission, session::SessionEnd, steward::Steward,
    },
    storage::credentials,
};
use serde_json::json;

const ACTION: &str = "require_password_reset";

impl Services {
    /// Asks somebody else for another password. One who has none, or may not have one by mail, is in the wrong state.
    pub async fn require_password_reset(
        &self,
        who: Steward<'_>,
        id: UserId,
        client: &Client,
    ) -> Result<()> {
        who.must(Permission::RequirePasswordResets)?;
        let done = self.apply_requirement(who, id, client).await;
        self.trace_refusal(done, (ACTION, who.actor(), id), client)
            .await
    }

    async fn apply_requirement(&self, who: Steward<'_>, id: UserId, client: &Client) -> Result<()> {
        let tx = self.store.begin().await?;
        self.steward_must_hold(&tx, who).await?;
        let user = self.lock_user(&tx, id).await?;
        who.must_outrank(&user)?;
        who.must_be_another(id)?;
        let has_password = credentials::find_credential(&tx, id).await?.is_some();
        if !has_password || !may_reset(&user) {
            return Err(Clash::State.into());
        }
        credentials::require_reset(&tx, id, self.now()).await?;
        let why = SessionEnd::PasswordResetRequired;
        let ended = self.revoke_all(&tx, id, why, client).await?;
        let entry = AuditEntry::success(ACTION, who.actor(), client).on(id);
        self.audit(&tx, entry.with(json!({ "sessions_ended": ended })))
            .await?;
        let mail = |link| Mail::PasswordResetRequired { link };
        self.mail_reset(&tx, &user, mail, client).await?;
        self.commit(tx).await
    }
}
