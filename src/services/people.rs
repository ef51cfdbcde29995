//! Who may see whom. The one place for this question, whatever of a person is asked for.

use super::Services;
use crate::{
    domain::{
        Error, Result,
        actor::SignedIn,
        error::Barrier,
        id::UserId,
        permission::Permission,
        user::{Tier, User, UserStatus},
    },
    storage::{people, users},
};

impl Services {
    /// The person with this id, if this one may see them: oneself; staff everybody; premium members those who are active
    /// and not hidden. One who is hidden is not there.
    pub(super) async fn must_see(&self, who: &SignedIn, id: UserId) -> Result<User> {
        let db = self.store.reader();
        if id != who.user.id && !who.may(Permission::ReadUsers) {
            if who.user.tier_at(self.now()) != Tier::Premium {
                return Err(Barrier::PremiumRequired.into());
            }
            if people::is_private(db, id).await? {
                return Err(Error::NotFound("user"));
            }
        }
        let found = users::find_user(db, id).await?;
        let visible = found.filter(|user| {
            user.status == UserStatus::Active || id == who.user.id || who.may(Permission::ReadUsers)
        });
        let user = visible.ok_or(Error::NotFound("user"))?;
        self.open_user(db, user).await
    }
}
