//! Roles: what each may do, and who has which. Access changes with the commit; sessions stay.

use super::{Services, events::person};
use crate::{
    domain::{
        Result,
        audit::AuditEntry,
        change::Expected,
        client::Client,
        error::Clash,
        event::EventType,
        id::UserId,
        page::{Page, PageRequest},
        permission::{Permission, Role, Roles},
        steward::Steward,
        user::User,
    },
    storage::{Tx, roles, users},
};
use serde_json::{Value, json};
use std::cmp::Ordering;
use uuid::Uuid;

const SET: &str = "set_roles";

/// The order of roles: by what they allow.
pub const ORDER: &str = "strength";

/// A role and what it allows.
pub struct RoleView {
    pub role: Role,
    pub description: String,
    /// Names of permissions.
    pub permissions: Vec<&'static str>,
}

impl Services {
    /// The roles, weakest first.
    pub async fn list_roles(
        &self,
        who: Steward<'_>,
        request: &PageRequest,
    ) -> Result<Page<RoleView>> {
        who.must(Permission::ReadRoles)?;
        let mut stored = roles::list_roles(self.store.reader()).await?;
        let key = request.cursor.as_ref().and_then(|at| at.key.as_deref());
        if let Some(at) = key.and_then(Role::parse) {
            let side = if request.is_backward() {
                Ordering::Less
            } else {
                Ordering::Greater
            };
            stored.retain(|stored| stored.role.cmp(&at) == side);
        }
        if request.is_backward() {
            stored.reverse();
        }
        let place = |stored: &roles::StoredRole| (Some(stored.role.as_str().into()), Uuid::nil());
        let page = Page::cut(stored, request, ORDER, place);
        Ok(page.map(|stored| RoleView {
            role: stored.role,
            description: stored.description,
            permissions: stored.permissions.iter().map(|p| p.as_str()).collect(),
        }))
    }

    /// Gives a person exactly these roles. Nobody raises himself, and an active admin is left.
    pub async fn set_roles(
        &self,
        who: Steward<'_>,
        (id, wanted): (UserId, Roles),
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        let done = self.apply_roles(who, (id, wanted), expected, client).await;
        self.trace_refusal(done, (SET, who.actor(), id), client)
            .await
    }

    async fn apply_roles(
        &self,
        who: Steward<'_>,
        (id, wanted): (UserId, Roles),
        expected: &Expected,
        client: &Client,
    ) -> Result<User> {
        who.must(Permission::AssignRoles)?;
        who.must_be_fresh(self.now(), self.policy.reauth_max_age)?;
        let tx = self.store.begin().await?;
        let admins = roles::lock_active_holders(&tx, Role::Admin).await?;
        self.steward_must_hold(&tx, who).await?;
        let mut user = self.lock_user(&tx, id).await?;
        who.must_outrank(&user)?;
        who.must_not_raise(&user, &wanted)?;
        expected.must_be(user.version)?;
        if !wanted.has(Role::Admin) {
            must_leave_another(&admins, id)?;
        }
        if wanted != user.roles {
            let before = std::mem::replace(&mut user.roles, wanted);
            self.write_roles(&tx, &mut user).await?;
            self.tell_roles(&tx, &user, (who, &before), client).await?;
        }
        self.commit(tx).await?;
        Ok(user)
    }

    async fn write_roles(&self, tx: &Tx, user: &mut User) -> Result<()> {
        let now = self.now();
        roles::replace_roles(tx, user.id, &user.roles, now).await?;
        users::update_user(tx, user, now).await
    }

    async fn tell_roles(
        &self,
        tx: &Tx,
        user: &User,
        (who, before): (Steward<'_>, &Roles),
        client: &Client,
    ) -> Result<()> {
        let details = json!({ "roles": user.roles.names(), "previous_roles": before.names() });
        let entry = AuditEntry::success(SET, who.actor(), client).on(user.id);
        self.audit(tx, entry.with(details)).await?;
        let mut data = person(user);
        if let Value::Object(fields) = &mut data {
            fields.insert("previous_roles".to_owned(), json!(before.names()));
        }
        self.publish(tx, user.id, (EventType::RolesChanged, data), client)
            .await
    }
}

/// Refuses to take the only active admin away.
pub(super) fn must_leave_another(admins: &[UserId], leaving: UserId) -> Result<()> {
    if admins == [leaving] {
        return Err(Clash::LastAdmin.into());
    }
    Ok(())
}
