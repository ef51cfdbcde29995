//! Wrong passwords are counted, and after too many in a row (NIST SP 800-63B-4, section 3.2.2) sign-in by password waits
//! for a reset by mail, except from devices that the person has signed in from before.

use super::Services;
use crate::{
    domain::{
        Result,
        actor::Actor,
        audit::{AuditEntry, Outcome},
        client::Client,
        error::Refusal,
        event::EventType,
        mail::Mail,
        secret::BlindIndex,
        user::User,
    },
    storage::credentials,
};
use serde_json::json;

impl Services {
    /// Counts a wrong password, and from too many in a row on lets only known devices and a reset through.
    pub(super) async fn fail_login<T>(
        &self,
        user: &User,
        device: Option<BlindIndex>,
        client: &Client,
    ) -> Result<T> {
        let code = Refusal::InvalidCredentials.code();
        let tx = self.store.begin().await?;
        // The event comes first: it takes the person's row, which every change of theirs locks before any other.
        self.publish(
            &tx,
            user.id,
            (EventType::LoginFailed, json!({ "reason": code })),
            client,
        )
        .await?;
        let failures = match device {
            Some(device) => {
                credentials::count_device_failure(&tx, user.id, device).await?;
                0
            }
            None => credentials::count_failure(&tx, user.id).await?,
        };
        self.audit(
            &tx,
            AuditEntry::refusal("login", Outcome::Failed, code, client).on(user.id),
        )
        .await?;
        if failures == self.policy.max_failures {
            let now = self.now();
            credentials::lock(&tx, user.id, now).await?;
            let client = Client::local(client.request_id.clone());
            self.audit(
                &tx,
                AuditEntry::success("lock_account", Actor::System, &client).on(user.id),
            )
            .await?;
            self.publish(
                &tx,
                user.id,
                (EventType::Locked, json!({ "failures": failures })),
                &client,
            )
            .await?;
            let mail = Mail::AccountLocked {
                at: now,
                reset_link: self.forgot_password_page(),
            };
            self.queue_mail(&tx, user, &user.email, &mail).await?;
        }
        self.commit(tx).await?;
        Err(Refusal::InvalidCredentials.into())
    }
}
