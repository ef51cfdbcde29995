//! The table: who may what. Which role may do what staff does is read from `role_permissions`.

use crate::support::{TestApp, document::Operation};
use std::collections::BTreeSet;

/// Who gets through to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody; a token is not looked at.
    Anyone,
    /// Anybody without a token; a token that comes along must be good.
    AnyoneOrUser,
    User,
    /// Members with premium, and whose role sees everybody.
    Premium,
    /// Whose role has this permission.
    May(&'static str),
}

/// The permission that stands for premium.
const SEES_EVERYBODY: &str = "users:read";

/// What a person may: what the role allows, and whether there is premium.
#[derive(Debug, Clone)]
pub struct Grants {
    permissions: BTreeSet<String>,
    has_premium: bool,
}

impl Grants {
    /// As the permission table says now.
    pub async fn of(app: &TestApp, role: &str, has_premium: bool) -> Self {
        let sql = format!("SELECT permission FROM role_permissions WHERE role = '{role}'");
        Self {
            permissions: app.db.texts(&sql).await.into_iter().collect(),
            has_premium,
        }
    }

    /// Whether the person gets through.
    pub fn reach(&self, who: Who) -> bool {
        let may = |permission: &str| self.permissions.contains(permission);
        match who {
            Who::Anyone | Who::AnyoneOrUser | Who::User => true,
            Who::Premium => self.has_premium || may(SEES_EVERYBODY),
            Who::May(permission) => may(permission),
        }
    }
}

/// Use cases by operationId; twins have a suffix and are not named.
pub const TABLE: &[(&str, Who)] = &[
    ("accept_invitation", Who::Anyone),
    ("change_email", Who::User),
    ("change_password", Who::User),
    ("check_health", Who::Anyone),
    ("check_liveness", Who::Anyone),
    ("check_readiness", Who::Anyone),
    ("confirm_email_change", Who::Anyone),
    ("confirm_password_reset", Who::Anyone),
    ("create_user", Who::May("users:create")),
    ("create_webhook", Who::May("webhooks:manage")),
    ("deactivate_user", Who::May("users:deactivate")),
    ("decline_email_verification", Who::Anyone),
    ("delete_avatar", Who::User),
    ("delete_me", Who::User),
    ("delete_webhook", Who::May("webhooks:manage")),
    ("describe_problem", Who::Anyone),
    ("describe_service", Who::Anyone),
    ("downgrade_me", Who::User),
    ("erase_user", Who::May("users:erase")),
    ("export_me", Who::User),
    ("find_password_page", Who::Anyone),
    ("get_avatar", Who::Premium),
    ("get_me", Who::User),
    ("get_my_avatar", Who::User),
    ("get_password_policy", Who::Anyone),
    ("get_preferences", Who::User),
    ("get_profile", Who::User),
    ("get_session", Who::User),
    ("get_stats", Who::User),
    ("get_user", Who::Premium),
    ("get_user_preferences", Who::Premium),
    ("get_user_profile", Who::Premium),
    ("get_webhook", Who::May("webhooks:manage")),
    ("list_activity", Who::User),
    ("list_audit_checkpoints", Who::May("system:read")),
    ("list_audit_logs", Who::May("audit:read")),
    ("list_events", Who::May("events:read")),
    ("list_keys", Who::Anyone),
    ("list_roles", Who::May("roles:read")),
    ("list_sessions", Who::User),
    ("list_users", Who::May("users:read")),
    ("list_webhook_deliveries", Who::May("webhooks:manage")),
    ("list_webhooks", Who::May("webhooks:manage")),
    ("login", Who::Anyone),
    ("logout", Who::User),
    ("logout_all", Who::User),
    ("reactivate_user", Who::May("users:deactivate")),
    // Open in development; `system` proves whom production lets through.
    ("read_database_status", Who::Anyone),
    ("read_metrics", Who::Anyone),
    ("reauthenticate", Who::User),
    ("refresh", Who::Anyone),
    ("register", Who::Anyone),
    ("replay_webhook_delivery", Who::May("webhooks:manage")),
    ("request_email_verification", Who::AnyoneOrUser),
    ("request_password_reset", Who::Anyone),
    (
        "require_password_reset",
        Who::May("passwords:require_reset"),
    ),
    ("revoke_session", Who::User),
    ("revoke_user_sessions", Who::May("sessions:revoke")),
    ("rotate_webhook_secret", Who::May("webhooks:manage")),
    ("search_users", Who::Premium),
    ("set_roles", Who::May("roles:assign")),
    ("set_subscription", Who::May("subscriptions:manage")),
    ("soft_delete_users", Who::May("users:deactivate")),
    ("terminate_account", Who::User),
    ("undo_email_change", Who::Anyone),
    ("update_avatar", Who::User),
    ("update_me", Who::User),
    ("update_preferences", Who::User),
    ("update_profile", Who::User),
    ("update_user", Who::May("users:update")),
    ("update_webhook", Who::May("webhooks:manage")),
    ("upgrade_me", Who::User),
    ("verify_email", Who::Anyone),
];

/// The suffixes by which the document tells twins apart.
pub const SUFFIXES: [&str; 6] = ["_auth", "_get", "_put", "_root", "_signup", "_at_users"];

/// What the table says of an operation; none if it says nothing.
pub fn who_may(operation: &Operation) -> Option<Who> {
    let mut id = operation.id.as_str();
    loop {
        if let Some((_, who)) = TABLE.iter().find(|(name, _)| *name == id) {
            return Some(*who);
        }
        id = SUFFIXES.iter().find_map(|suffix| id.strip_suffix(suffix))?;
    }
}

/// Whether it is for staff alone: what others send is not looked at.
pub fn is_for_staff(operation: &Operation) -> bool {
    matches!(who_may(operation), Some(Who::May(_)))
}
