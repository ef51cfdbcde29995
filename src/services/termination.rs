//! Ending one's own account. The data stays until an admin erases it, and only an admin can bring the account back; one
//! whose address was never confirmed is erased at once.

use super::Services;
use crate::{
    domain::{
        Result,
        actor::SignedIn,
        audit::{AuditEntry, Outcome},
        change::Expected,
        client::Client,
        error::Clash,
        event::EventType,
        id::UserId,
        mail::Mail,
        password::{Password, PasswordHash},
        permission::Role,
        session::SessionEnd,
        user::{User, UserStatus},
    },
    storage::{
        Tx, email_changes,
        links::{resets, verifications, void_used_verifications},
        roles, sessions, users,
    },
};
use serde_json::json;

const ACTION: &str = "terminate_account";

impl Services {
    /// Ends the account of the person who asks, with the password as proof.
    pub async fn terminate_account(
        &self,
        who: &SignedIn,
        password: Password,
        client: &Client,
    ) -> Result<()> {
        let proven = self.prove_password(who, password, ACTION, client).await?;
        self.end_account(who, Some(&proven), &Expected::Any, client)
            .await
    }

    /// The same with a recent proof of the password in the access token.
    pub async fn delete_me(
        &self,
        who: &SignedIn,
        expected: &Expected,
        client: &Client,
    ) -> Result<()> {
        if let Err(why) = who.must_be_fresh(self.now(), self.policy.reauth_max_age) {
            let entry = AuditEntry::refusal(ACTION, Outcome::Refused, why.code(), client);
            self.audit_alone(entry.by(who.actor()).on(who.user.id))
                .await?;
            return Err(why);
        }
        self.end_account(who, None, expected, client).await
    }

    async fn end_account(
        &self,
        who: &SignedIn,
        proven: Option<&PasswordHash>,
        expected: &Expected,
        client: &Client,
    ) -> Result<()> {
        let tx = self.store.begin().await?;
        let admins = roles::lock_active_holders(&tx, Role::Admin).await?;
        if is_last(&admins, who.user.id) {
            drop(tx);
            let entry =
                AuditEntry::refusal(ACTION, Outcome::Refused, Clash::LastAdmin.code(), client);
            self.audit_alone(entry.by(who.actor()).on(who.user.id))
                .await?;
            return Err(Clash::LastAdmin.into());
        }
        let user = self.lock_self(&tx, who).await?;
        match proven {
            Some(proven) => self.proof_must_hold(&tx, who, &user, proven).await?,
            None => self.session_must_hold(&tx, who, &user).await?,
        }
        if let Err(stale) = expected.must_be(user.version) {
            drop(tx);
            let whose = (ACTION, who.actor(), user.id);
            return self.trace_refusal(Err(stale), whose, client).await;
        }
        self.apply_termination(tx, user, who, client).await
    }

    async fn apply_termination(
        &self,
        tx: Tx,
        mut user: User,
        who: &SignedIn,
        client: &Client,
    ) -> Result<()> {
        if user.status == UserStatus::Pending && !user.is_verified() {
            return self.erase_unconfirmed(tx, &user, who, client).await;
        }
        let now = self.now();
        user.terminate()?;
        users::update_user(&tx, &mut user, now).await?;
        verifications::void_links(&tx, user.id, now).await?;
        void_used_verifications(&tx, user.id, now).await?;
        resets::void_links(&tx, user.id, now).await?;
        email_changes::void_changes(&tx, user.id, now).await?;
        let ended = sessions::end_sessions(&tx, user.id, None, SessionEnd::Terminated, now).await?;
        let details = json!({ "sessions_ended": ended });
        self.audit(
            &tx,
            AuditEntry::success(ACTION, who.actor(), client).with(details),
        )
        .await?;
        self.publish(
            &tx,
            user.id,
            (EventType::Deleted, json!({ "mode": "terminated" })),
            client,
        )
        .await?;
        let mail = Mail::AccountTerminated { at: now };
        self.queue_mail(&tx, (&user, &user.email), &mail, client)
            .await?;
        self.commit(tx).await
    }

    /// Nobody has shown that the address is theirs, so nothing of the account may keep its owner from it.
    async fn erase_unconfirmed(
        &self,
        tx: Tx,
        user: &User,
        who: &SignedIn,
        client: &Client,
    ) -> Result<()> {
        self.publish_erasure(&tx, user.id, client).await?;
        users::delete_user(&tx, user.id).await?;
        self.destroy_user_key(&tx, user.id).await?;
        let entry = AuditEntry::success(ACTION, who.actor(), client);
        self.audit_erasure(&tx, entry.with(json!({ "erased": true })))
            .await?;
        self.commit(tx).await?;
        self.forget_user_key(user.id);
        Ok(())
    }
}

/// Whether this person is the only one left.
fn is_last(admins: &[UserId], id: UserId) -> bool {
    admins.contains(&id) && admins.len() == 1
}
