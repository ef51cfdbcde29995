//! People as staff sees them: in lists, and one by one.

use super::Services;
use crate::{
    domain::{
        Error, Result,
        audit::AuditEntry,
        client::Client,
        error::{Barrier, Refusal},
        id::UserId,
        page::{Page, PageRequest},
        permission::Permission,
        steward::Steward,
        user::User,
        user_list::{UserFilters, UserOrder},
    },
    storage::{
        Tx,
        user_list::{self, Wanted},
        users,
    },
};
use serde_json::json;

const LIST: &str = "list_users";
const GET: &str = "get_user";

impl Services {
    /// A page of all people. The trail keeps by what was searched, not for what.
    pub async fn list_users(
        &self,
        who: Steward<'_>,
        filters: &UserFilters,
        (order, request): (UserOrder, &PageRequest),
        client: &Client,
    ) -> Result<Page<User>> {
        who.must(Permission::ReadUsers)?;
        let wanted = Wanted {
            filters,
            email: filters.email.as_ref().map(|email| self.email_index(email)),
            order,
            now: self.now(),
        };
        let wanted = &wanted;
        let page = self
            .read_lists(|db| async move { user_list::list_users(&db, wanted, request).await })
            .await?;
        let mut entry = AuditEntry::success(LIST, who.actor(), client);
        entry.subject = None;
        self.audit_alone(entry.with(json!({ "filters": filters.names() })))
            .await?;
        Ok(Page {
            items: self.open_users(self.store.reader(), page.items).await?,
            next: page.next,
            prev: page.prev,
            total: page.total,
        })
    }

    /// Anybody's account.
    pub async fn show_user(&self, who: Steward<'_>, id: UserId, client: &Client) -> Result<User> {
        who.must(Permission::ReadUsers)?;
        let db = self.store.reader();
        let stored = users::find_user(db, id).await?;
        let stored = stored.ok_or(Error::NotFound("user"))?;
        let user = self
            .try_open_user(db, stored)
            .await?
            .ok_or(Error::NotFound("user"))?;
        self.audit_alone(AuditEntry::success(GET, who.actor(), client).on(id))
            .await?;
        Ok(user)
    }

    /// Refuses staff whose session or role has ended since it was checked.
    pub(super) async fn steward_must_hold(&self, tx: &Tx, who: Steward<'_>) -> Result<()> {
        let Steward::Staff(who) = who else {
            return Ok(());
        };
        let now = users::find_user(tx, who.user.id)
            .await?
            .ok_or(Refusal::SessionEnded)?;
        self.session_must_hold(tx, who, &now).await?;
        if now.roles != who.user.roles {
            return Err(Barrier::Permission.into());
        }
        Ok(())
    }
}
