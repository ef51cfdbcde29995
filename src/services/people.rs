//! Who may see whom. The one place for this question, whatever of a person is asked for.

use super::Services;
use crate::{
    domain::{
        Error, Result,
        actor::SignedIn,
        audit::AuditEntry,
        card::Card,
        client::Client,
        id::UserId,
        permission::Permission,
        preferences::Preferences,
        profile::Profile,
        user::{User, UserStatus},
    },
    storage::{cards, people, users},
};

const GET_PROFILE: &str = "get_user_profile";
const GET_PREFERENCES: &str = "get_user_preferences";

/// A person as far as they are shown.
pub enum SeenUser {
    /// To themselves and to staff.
    Whole(Box<User>),
    /// To premium members.
    Card(Box<Card>),
}

impl Services {
    /// The person with this id, if this one may see them: oneself; staff everybody; premium members those who are active
    /// and not hidden. One who is hidden is not there.
    pub(super) async fn must_see(&self, who: &SignedIn, id: UserId) -> Result<User> {
        let db = self.store.reader();
        let sees_all = id == who.user.id || who.may(Permission::ReadUsers);
        if !sees_all {
            who.must_see_others(self.now())?;
            if people::is_private(db, id).await? {
                return Err(Error::NotFound("user"));
            }
        }
        let found = users::find_user(db, id).await?;
        let visible = found.filter(|user| sees_all || user.status == UserStatus::Active);
        let user = visible.ok_or(Error::NotFound("user"))?;
        self.try_open_user(db, user)
            .await?
            .ok_or(Error::NotFound("user"))
    }

    /// Anybody, as far as this one may see them.
    pub async fn get_user(&self, who: &SignedIn, id: UserId, client: &Client) -> Result<SeenUser> {
        if who.user.id == id {
            return Ok(SeenUser::Whole(Box::new(who.user.clone())));
        }
        if who.may(Permission::ReadUsers) {
            let user = self.show_user(who.into(), id, client).await?;
            return Ok(SeenUser::Whole(Box::new(user)));
        }
        self.must_see(who, id).await?;
        let mut cards = cards::list_cards(self.store.reader(), &[id]).await?;
        let card = cards.pop().ok_or(Error::NotFound("user"))?;
        self.note_profile_view(who.user.id, id);
        Ok(SeenUser::Card(Box::new(card)))
    }

    /// Anybody's profile; only oneself and staff see the telephone number.
    pub async fn get_user_profile(
        &self,
        who: &SignedIn,
        id: UserId,
        client: &Client,
    ) -> Result<Profile> {
        self.must_see(who, id).await?;
        let mut profile = self.profile_of(self.store.reader(), id).await?;
        if who.user.id != id {
            self.note_profile_view(who.user.id, id);
            if who.may(Permission::ReadUsers) {
                self.trace_look(GET_PROFILE, who, id, client).await?;
            } else {
                profile.details.phone = None;
            }
        }
        Ok(profile)
    }

    /// Anybody's preferences; premium members see those of people who are open to work.
    pub async fn get_user_preferences(
        &self,
        who: &SignedIn,
        id: UserId,
        client: &Client,
    ) -> Result<Preferences> {
        self.must_see(who, id).await?;
        let preferences = self.preferences_of(self.store.reader(), id).await?;
        if who.user.id != id {
            if who.may(Permission::ReadUsers) {
                self.trace_look(GET_PREFERENCES, who, id, client).await?;
            } else if !preferences.open_to_work {
                return Err(Error::NotFound("user"));
            }
        }
        Ok(preferences)
    }

    /// What staff read of people is in the trail.
    async fn trace_look(
        &self,
        action: &'static str,
        who: &SignedIn,
        id: UserId,
        client: &Client,
    ) -> Result<()> {
        let entry = AuditEntry::success(action, who.actor(), client);
        self.audit_alone(entry.on(id)).await
    }
}
