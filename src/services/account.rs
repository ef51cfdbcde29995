//! Changing the basic fields of an account.

use super::{Services, events::person};
use crate::{
    domain::{
        Error, Result,
        actor::{Actor, SignedIn},
        audit::{AuditEntry, Outcome},
        change::Expected,
        client::Client,
        event::EventType,
        id::UserId,
        user::{User, UserChanges},
    },
    storage::{Tx, users},
};
use serde_json::{Value, json};

const ACTION: &str = "update_me";

impl Services {
    /// Changes one's own account, if it is still as `expected`; a taken username is a conflict.
    pub async fn update_me(
        &self,
        who: &SignedIn,
        changes: UserChanges,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        let changed = self.apply_to_me(who, changes, expected, client).await;
        self.trace_refusal(changed, (ACTION, who.actor(), who.user.id), client)
            .await
    }

    async fn apply_to_me(
        &self,
        who: &SignedIn,
        changes: UserChanges,
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        let tx = self.store.begin().await?;
        let mut user = self.lock_user(&tx, who.user.id).await?;
        self.session_must_hold(&tx, who, &user).await?;
        expected.must_be(user.version)?;
        let changed = changes.apply(&mut user)?;
        if !changed.is_empty() {
            users::update_user(&tx, &mut user, self.now()).await?;
            let entry = AuditEntry::success(ACTION, who.actor(), client);
            self.tell_update(&tx, &user, entry, &changed).await?;
        }
        self.commit(tx).await?;
        Ok(user)
    }

    /// Audit row and event of a changed account.
    pub(super) async fn tell_update(
        &self,
        tx: &Tx,
        user: &User,
        entry: AuditEntry<'_>,
        changed: &[&'static str],
    ) -> Result<()> {
        let client = entry.client;
        let entry = entry.on(user.id).with(json!({ "changed": changed }));
        self.audit(tx, entry).await?;
        let mut data = person(user);
        if let Value::Object(fields) = &mut data {
            fields.insert("changed".to_owned(), json!(changed));
        }
        self.publish(tx, user.id, (EventType::Updated, data), client)
            .await
    }

    /// Leaves an audit row of a change that was refused by state: stale, taken, not allowed.
    pub(super) async fn trace_refusal<T>(
        &self,
        outcome: Result<T>,
        (action, actor, subject): (&'static str, Actor, UserId),
        client: &Client,
    ) -> Result<T> {
        if let Err(why @ (Error::Conflict(_) | Error::Stale | Error::Forbidden(_))) = &outcome {
            let entry = AuditEntry::refusal(action, Outcome::Refused, why.code(), client);
            self.audit_alone(entry.by(actor).on(subject)).await?;
        }
        outcome
    }
}
