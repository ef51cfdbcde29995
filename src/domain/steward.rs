//! Who administers other people: staff within their permissions, or an operator at the service's own command line.

use super::{
    Timestamp,
    actor::{Actor, SignedIn},
    error::{Barrier, Clash, Result},
    id::UserId,
    permission::Permission,
    user::User,
};
use std::time::Duration;

/// Who administers other people. An operator has the database and its keys, and so may everything.
#[derive(Debug, Clone, Copy)]
pub enum Steward<'a> {
    Staff(&'a SignedIn),
    Operator,
}

impl<'a> From<&'a SignedIn> for Steward<'a> {
    fn from(who: &'a SignedIn) -> Self {
        Self::Staff(who)
    }
}

impl Steward<'_> {
    /// The same as an actor.
    pub fn actor(self) -> Actor {
        match self {
            Self::Staff(who) => who.actor(),
            Self::Operator => Actor::System,
        }
    }

    /// Whether it is this person.
    pub fn is(self, id: UserId) -> bool {
        self.actor().user_id() == Some(id)
    }

    /// Refuses who lacks the permission.
    pub fn must(self, permission: Permission) -> Result<()> {
        match self {
            Self::Staff(who) => who.must(permission),
            Self::Operator => Ok(()),
        }
    }

    /// Refuses an action on a person whom the role does not reach.
    pub fn must_outrank(self, other: &User) -> Result<()> {
        match self {
            Self::Staff(who) => who.must_outrank(other),
            Self::Operator => Ok(()),
        }
    }

    /// Refuses who has not proven the password within `max_age`.
    pub fn must_be_fresh(self, now: Timestamp, max_age: Duration) -> Result<()> {
        match self {
            Self::Staff(who) => who.must_be_fresh(now, max_age),
            Self::Operator => Ok(()),
        }
    }

    /// Refuses an action on oneself: it would shut its own door.
    pub fn must_be_another(self, id: UserId) -> Result<()> {
        if self.is(id) {
            return Err(Clash::State.into());
        }
        Ok(())
    }

    /// Refuses who would gain by it: one may only give up roles of one's own, or step down to weaker ones.
    pub fn must_not_raise(self, user: &User, roles: &super::permission::Roles) -> Result<()> {
        let steps_down = roles.iter().max() < user.roles.iter().max();
        if self.is(user.id) && !steps_down && !roles.iter().all(|role| user.roles.has(role)) {
            return Err(Barrier::Permission.into());
        }
        Ok(())
    }
}
