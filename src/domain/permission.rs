//! Roles and permissions by name. Which role allows what is data (`role_permissions`).

use serde::{Deserialize, Serialize};

/// A role of API.md, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    User,
    Manager,
    Admin,
}

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Self; 3] = [Self::User, Self::Manager, Self::Admin];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    /// Reads the name; `None` for any other.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// Something that one person may do to others or to the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    ReadUsers,
    CreateUsers,
    UpdateUsers,
    DeactivateUsers,
    EraseUsers,
    AssignRoles,
    ManageSubscriptions,
    RevokeSessions,
    RequirePasswordResets,
    ReadRoles,
    ReadAudit,
    ReadEvents,
    ManageWebhooks,
    ReadSystem,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 14] = [
        Self::ReadUsers,
        Self::CreateUsers,
        Self::UpdateUsers,
        Self::DeactivateUsers,
        Self::EraseUsers,
        Self::AssignRoles,
        Self::ManageSubscriptions,
        Self::RevokeSessions,
        Self::RequirePasswordResets,
        Self::ReadRoles,
        Self::ReadAudit,
        Self::ReadEvents,
        Self::ManageWebhooks,
        Self::ReadSystem,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadUsers => "users:read",
            Self::CreateUsers => "users:create",
            Self::UpdateUsers => "users:update",
            Self::DeactivateUsers => "users:deactivate",
            Self::EraseUsers => "users:erase",
            Self::AssignRoles => "roles:assign",
            Self::ManageSubscriptions => "subscriptions:manage",
            Self::RevokeSessions => "sessions:revoke",
            Self::RequirePasswordResets => "passwords:require_reset",
            Self::ReadRoles => "roles:read",
            Self::ReadAudit => "audit:read",
            Self::ReadEvents => "events:read",
            Self::ManageWebhooks => "webhooks:manage",
            Self::ReadSystem => "system:read",
        }
    }

    /// Reads the name; `None` for any other.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == name)
    }
}

/// The roles of one person: at least one, sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(Vec<Role>);

impl Roles {
    /// Of these roles; a person without any has the role `user`.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Self {
        let mut roles: Vec<Role> = roles.into_iter().collect();
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            roles.push(Role::User);
        }
        Self(roles)
    }

    /// Whether this role is among them.
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// The roles, weakest first.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }

    /// Their names, weakest first.
    pub fn names(&self) -> Vec<&'static str> {
        self.iter().map(Role::as_str).collect()
    }
}
