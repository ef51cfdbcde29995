//! Who may see whom. The one place for this question, whatever of a person is asked for.

use super::Services;
use crate::{
    domain::{
        Error, Result,
        actor::SignedIn,
        id::UserId,
        permission::Permission,
        user::{User, UserStatus},
    },
    storage::{people, users},
};

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
        self.open_user(db, user).await
    }
}
