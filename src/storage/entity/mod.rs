//! One SeaORM entity per table. They never leave this floor: queries take and give domain types.

pub mod audit_log;
pub mod audit_seals;
pub mod avatars;
pub mod credentials;
pub mod email_changes;
pub mod email_verifications;
pub mod failed_logins;
pub mod idempotency_keys;
pub mod invitations;
pub mod known_devices;
pub mod mail_requests;
pub mod outbox_events;
pub mod outbox_mails;
pub mod password_resets;
pub mod refresh_tokens;
pub mod role_permissions;
pub mod roles;
pub mod signing_keys;
pub mod tokens;
pub mod user_keys;
pub mod user_preferences;
pub mod user_profiles;
pub mod user_roles;
pub mod user_sessions;
pub mod users;
pub mod vault_keys;
