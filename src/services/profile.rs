//! The extended profile: what a person tells of themselves. It has a version of its own.

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
        profile::{Profile, ProfileChanges},
    },
    storage::{
        Db, Tx,
        profiles::{self, StoredProfile},
    },
};

const ACTION: &str = "update_profile";

impl Services {
    /// One's own profile.
    pub async fn get_profile(&self, who: &SignedIn) -> Result<Profile> {
        self.profile_of(self.store.reader(), who.user.id).await
    }

    /// Changes one's own profile, if it is still as `expected`.
    pub async fn update_profile(
        &self,
        who: &SignedIn,
        changes: ProfileChanges,
        expected: &Expected,
        client: &Client,
    ) -> Result<Profile> {
        let outcome = self.apply_to_profile(who, changes, expected, client).await;
        self.trace_refusal(outcome, (ACTION, who.actor(), who.user.id), client)
            .await
    }

    async fn apply_to_profile(
        &self,
        who: &SignedIn,
        changes: ProfileChanges,
        expected: &Expected,
        client: &Client,
    ) -> Result<Profile> {
        let tx = self.store.begin().await?;
        // The person's row is the lock, also while there is no profile yet.
        let user = self.lock_user(&tx, who.user.id).await?;
        self.session_must_hold(&tx, who, &user).await?;
        let mut profile = self.profile_of(&tx, user.id).await?;
        expected.must_be(profile.version)?;
        let fields = changes.apply(&mut profile);
        if !fields.is_empty() {
            self.write_profile(&tx, user.id, &mut profile).await?;
            let entry = AuditEntry::success(ACTION, who.actor(), client);
            self.tell_update(&tx, &user, entry, &fields).await?;
        }
        self.commit(tx).await?;
        Ok(profile)
    }

    /// Anybody's profile; who told nothing has the default at version 0.
    pub(super) async fn profile_of(&self, db: &impl Db, id: UserId) -> Result<Profile> {
        let Some(stored) = profiles::find_profile(db, id).await? else {
            return Ok(Profile::default());
        };
        let key = self.user_key(db, id).await?;
        let details = open_text(&key, field::PROFILE, &stored.details)?;
        Ok(Profile {
            headline: stored.headline,
            skills: stored.skills,
            visibility: stored.visibility,
            details: serde_json::from_str(&details).map_err(Error::internal)?,
            version: stored.version,
            updated_at: Some(stored.updated_at),
        })
    }

    async fn write_profile(&self, tx: &Tx, id: UserId, profile: &mut Profile) -> Result<()> {
        let (key, now) = (self.user_key(tx, id).await?, self.now());
        let details = serde_json::to_string(&profile.details).map_err(Error::internal)?;
        profile.version += 1;
        profile.updated_at = Some(now);
        let stored = StoredProfile {
            headline: profile.headline.clone(),
            skills: profile.skills.clone(),
            visibility: profile.visibility,
            details: self.seal(&key, field::PROFILE, &details)?,
            version: profile.version,
            updated_at: now,
        };
        profiles::set_profile(tx, id, stored).await
    }
}
