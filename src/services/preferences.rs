//! Preferences: what work a person looks for and which mails they want. They have a version of their own.

use super::{
    Services,
    personal_data::{field, open_text},
};
use crate::{
    domain::{
        Error, Result,
        actor::SignedIn,
        audit::AuditEntry,
        change::Expected,
        client::Client,
        id::UserId,
        preferences::{Preferences, PreferencesChanges},
    },
    storage::{
        Db, Tx,
        preferences::{self, StoredPreferences},
    },
};

const ACTION: &str = "update_preferences";

impl Services {
    /// One's own preferences.
    pub async fn get_preferences(&self, who: &SignedIn) -> Result<Preferences> {
        self.preferences_of(self.store.reader(), who.user.id).await
    }

    /// Changes one's own preferences, if they are still as `expected`.
    pub async fn update_preferences(
        &self,
        who: &SignedIn,
        changes: PreferencesChanges,
        expected: &Expected,
        client: &Client,
    ) -> Result<Preferences> {
        let outcome = self
            .apply_to_preferences(who, changes, expected, client)
            .await;
        self.trace_refusal(outcome, (ACTION, who.actor(), who.user.id), client)
            .await
    }

    async fn apply_to_preferences(
        &self,
        who: &SignedIn,
        changes: PreferencesChanges,
        expected: &Expected,
        client: &Client,
    ) -> Result<Preferences> {
        let tx = self.store.begin().await?;
        // The person's row is the lock, also while there are no preferences yet.
        let user = self.lock_user(&tx, who.user.id).await?;
        self.session_must_hold(&tx, who, &user).await?;
        let mut preferences = self.preferences_of(&tx, user.id).await?;
        expected.must_be(preferences.version)?;
        let fields = changes.apply(&mut preferences)?;
        if !fields.is_empty() {
            self.write_preferences(&tx, user.id, &mut preferences)
                .await?;
            let entry = AuditEntry::success(ACTION, who.actor(), client);
            self.tell_update(&tx, &user, entry, &fields).await?;
        }
        self.commit(tx).await?;
        Ok(preferences)
    }

    /// Anybody's preferences; who told nothing has the default at version 0.
    pub(super) async fn preferences_of(&self, db: &impl Db, id: UserId) -> Result<Preferences> {
        let Some(stored) = preferences::find_preferences(db, id).await? else {
            return Ok(Preferences::default());
        };
        let key = self.user_key(db, id).await?;
        let details = open_text(&key, field::PREFERENCES, &stored.details)?;
        Ok(Preferences {
            open_to_work: stored.open_to_work,
            email_notifications: stored.email_notifications,
            marketing_emails: stored.marketing_emails,
            details: serde_json::from_str(&details).map_err(Error::internal)?,
            version: stored.version,
            updated_at: Some(stored.updated_at),
        })
    }

    async fn write_preferences(
        &self,
        tx: &Tx,
        id: UserId,
        preferences: &mut Preferences,
    ) -> Result<()> {
        let (key, now) = (self.user_key(tx, id).await?, self.now());
        let details = serde_json::to_string(&preferences.details).map_err(Error::internal)?;
        preferences.version += 1;
        preferences.updated_at = Some(now);
        let stored = StoredPreferences {
            open_to_work: preferences.open_to_work,
            email_notifications: preferences.email_notifications,
            marketing_emails: preferences.marketing_emails,
            details: self.seal(&key, field::PREFERENCES, &details)?,
            version: preferences.version,
            updated_at: now,
        };
        preferences::set_preferences(tx, id, stored).await
    }
}
