//! The table: who may what.

use crate::support::document::Operation;

/// Who gets through to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Anybody; a token is not looked at.
    Anyone,
    /// Anybody without a token; a token that comes along must be good.
    AnyoneOrUser,
    User,
    Premium,
    Manager,
    Admin,
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
    ("create_user", Who::Admin),
    ("create_webhook", Who::Admin),
    ("deactivate_user", Who::Manager),
    ("decline_email_verification", Who::Anyone),
    ("delete_avatar", Who::User),
    ("delete_me", Who::User),
    ("delete_webhook", Who::Admin),
    ("describe_problem", Who::Anyone),
    ("describe_service", Who::Anyone),
    ("downgrade_me", Who::User),
    ("erase_user", Who::Admin),
    ("export_me", Who::User),
    ("find_password_page", Who::Anyone),
    ("get_avatar", Who::Premium),
    ("get_me", Who::User),
    ("get_my_avatar", Who::User),
    ("get_password_policy", Who::Anyone),
    ("get_preferences", Who::User),
    ("get_profile", Who::User),
    ("get_stats", Who::User),
    ("get_user", Who::Premium),
    ("get_user_preferences", Who::Premium),
    ("get_user_profile", Who::Premium),
    ("get_webhook", Who::Admin),
    ("list_activity", Who::User),
    ("list_audit_checkpoints", Who::Admin),
    ("list_audit_logs", Who::Manager),
    ("list_events", Who::Admin),
    ("list_keys", Who::Anyone),
    ("list_roles", Who::Manager),
    ("list_sessions", Who::User),
    ("list_users", Who::Manager),
    ("list_webhook_deliveries", Who::Admin),
    ("list_webhooks", Who::Admin),
    ("login", Who::Anyone),
    ("logout", Who::User),
    ("logout_all", Who::User),
    ("reactivate_user", Who::Manager),
    // Open in development; `system` proves whom production lets through.
    ("read_database_status", Who::Anyone),
    ("read_metrics", Who::Anyone),
    ("reauthenticate", Who::User),
    ("refresh", Who::Anyone),
    ("register", Who::Anyone),
    ("replay_webhook_delivery", Who::Admin),
    ("request_email_verification", Who::AnyoneOrUser),
    ("request_password_reset", Who::Anyone),
    ("revoke_session", Who::User),
    ("revoke_user_sessions", Who::Manager),
    ("rotate_webhook_secret", Who::Admin),
    ("search_users", Who::Premium),
    ("set_roles", Who::Admin),
    ("set_subscription", Who::Admin),
    ("soft_delete_users", Who::Manager),
    ("terminate_account", Who::User),
    ("undo_email_change", Who::Anyone),
    ("update_avatar", Who::User),
    ("update_me", Who::User),
    ("update_preferences", Who::User),
    ("update_profile", Who::User),
    ("update_user", Who::Manager),
    ("update_webhook", Who::Admin),
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

/// Whether it is for managers and admins alone: what others send is not looked at.
pub fn is_for_staff(operation: &Operation) -> bool {
    who_may(operation).is_some_and(|who| who >= Who::Manager)
}
