//! Changing one's password with the current one as proof; the other sessions end.

use super::{Services, password_reset::context_of};
use crate::{
    domain::{
        Result, actor::SignedIn, audit::AuditEntry, client::Client, event::EventType, mail::Mail,
        password::Password, session::SessionEnd,
    },
    storage::{credentials, email_changes, links::resets, sessions},
};
use serde_json::json;

const ACTION: &str = "change_password";

impl Services {
    /// Replaces the password, ends every other session and tells the person by mail.
    pub async fn change_password(
        &self,
        who: &SignedIn,
        current: Password,
        new: Password,
        client: &Client,
    ) -> Result<()> {
        self.must_be_strong("new_password", &new, &context_of(&who.user))?;
        let proven = self.prove_password(who, current, ACTION, client).await?;
        let hash = self.hasher.hash(new).await?;
        let tx = self.store.begin().await?;
        let user = self.lock_self(&tx, who).await?;
        self.proof_must_hold(&tx, who, &user, &proven).await?;
        let now = self.now();
        credentials::set_password(&tx, user.id, &hash, now).await?;
        resets::void_links(&tx, user.id, now).await?;
        email_changes::void_changes(&tx, user.id, now).await?;
        let keep = Some(who.session_id);
        let ended =
            sessions::end_sessions(&tx, user.id, keep, SessionEnd::PasswordChanged, now).await?;
        let details = json!({ "sessions_ended": ended });
        self.audit(
            &tx,
            AuditEntry::success(ACTION, who.actor(), client).with(details.clone()),
        )
        .await?;
        self.publish(&tx, user.id, (EventType::PasswordChanged, details), client)
            .await?;
        let mail = Mail::PasswordChanged {
            at: now,
            reset_link: self.forgot_password_page(),
        };
        self.queue_mail(&tx, (&user, &user.email), &mail, client)
            .await?;
        self.commit(tx).await
    }
}
