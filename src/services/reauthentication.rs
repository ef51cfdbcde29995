//! Proving the password again inside a session, for operations that need a recent proof (ASVS 7.5).

use super::{Services, tokens::AccessToken};
use crate::{
    domain::{
        Result, actor::SignedIn, audit::AuditEntry, client::Client, error::Refusal,
        password::Password,
    },
    storage::{Store, sessions},
};

const ACTION: &str = "reauthenticate";

impl Services {
    /// Answers with an access token whose `auth_time` is now; the one that was shown is revoked.
    pub async fn reauthenticate(
        &self,
        who: &SignedIn,
        password: Password,
        client: &Client,
    ) -> Result<AccessToken> {
        self.prove_password(who, password, ACTION, client).await?;
        let tx = self.store.begin().await?;
        let user = self.lock_self(&tx, who).await?;
        let now = self.now();
        let session = self.find_session_of(&tx, who.session_id, &user).await?;
        let mut session = session
            .filter(|session| session.is_live(now))
            .ok_or(Refusal::SessionEnded)?;
        session.auth_time = now;
        sessions::set_auth_time(&tx, session.id, now).await?;
        sessions::revoke_token(&tx, (who.user.id, who.token_id), who.token_expires_at, now).await?;
        self.audit(&tx, AuditEntry::success(ACTION, who.actor(), client))
            .await?;
        let access_token = self.sign(&session, &user)?;
        Store::commit(tx).await?;
        Ok(access_token)
    }
}
