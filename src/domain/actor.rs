//! Who does something. Use cases begin with `actor.must(..)`, so that every front door is covered.

use super::{
    Timestamp,
    error::{Barrier, Result},
    id::{AccessTokenId, SessionId, UserId},
    permission::{Permission, Role},
    user::{Tier, User},
};
use std::{collections::BTreeSet, time::Duration};

/// Who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Nobody we know.
    Anonymous,
    /// A signed-in person.
    User(UserId),
    /// The service itself, or an operator at its command line.
    System,
}

impl Actor {
    /// The name of the kind in the audit trail.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::System => "system",
        }
    }

    /// The person, if it is one.
    pub fn user_id(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::Anonymous | Self::System => None,
        }
    }
}

/// A person whose access token was checked: signature, session, state.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub user: User,
    pub session_id: SessionId,
    /// `jti` of the access token that was shown.
    pub token_id: AccessTokenId,
    pub token_expires_at: Timestamp,
    /// When the password was last proven.
    pub auth_time: Timestamp,
    /// What the roles allow, from `role_permissions`.
    pub permissions: BTreeSet<Permission>,
}

impl SignedIn {
    /// The person as an actor.
    pub fn actor(&self) -> Actor {
        Actor::User(self.user.id)
    }

    /// Whether the roles carry the permission.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Refuses who may not look at other people: that takes premium, or a role that reads everybody.
    pub fn must_see_others(&self, now: Timestamp) -> Result<()> {
        if self.may(Permission::ReadUsers) || self.user.tier_at(now) == Tier::Premium {
            return Ok(());
        }
        Err(Barrier::PremiumRequired.into())
    }

    /// Whether this person's role reaches that one: admins act on everyone, others on people of role `user` alone.
    pub fn outranks(&self, other: &User) -> bool {
        self.user.roles.has(Role::Admin) || other.roles.iter().all(|role| role == Role::User)
    }

    /// Refuses an action on a person whom the role does not reach.
    pub fn must_outrank(&self, other: &User) -> Result<()> {
        if self.outranks(other) {
            return Ok(());
        }
        Err(Barrier::Permission.into())
    }

    /// Refuses who lacks the permission.
    pub fn must(&self, permission: Permission) -> Result<()> {
        if self.may(permission) {
            return Ok(());
        }
        Err(Barrier::Permission.into())
    }

    /// Refuses who has not proven the password within `max_age`.
    pub fn must_be_fresh(&self, now: Timestamp, max_age: Duration) -> Result<()> {
        match (now - self.auth_time).to_std() {
            Ok(age) if age > max_age => Err(Barrier::ReauthenticationRequired.into()),
            _ => Ok(()),
        }
    }
}
