//! What happened, for other systems: the types of the outbox (CloudEvents 1.0 `type`).

use super::{
    Timestamp,
    id::{EventId, UserId},
};
use serde_json::Value;

macro_rules! event_types {
    ($($variant:ident = $name:literal;)+) => {
        /// The type of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum EventType { $($variant),+ }

        impl EventType {
            /// CloudEvents `type`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

event_types! {
    Created = "user.created";
    Updated = "user.updated";
    Restored = "user.restored";
    RolesChanged = "user.roles_changed";
    SubscriptionChanged = "user.subscription_changed";
    Deleted = "user.deleted";
    VerificationTokenCreated = "user.verification_token.created";
    PasswordResetRequested = "user.password_reset.requested";
    Verified = "user.verified";
    LoggedIn = "user.logged_in";
    LoginFailed = "user.login_failed";
    LoggedOut = "user.logged_out";
    PasswordChanged = "user.password_changed";
    EmailChanged = "user.email_changed";
    Locked = "user.locked";
    SessionRevoked = "user.session_revoked";
}

/// One thing that happened to one person; `data` is personal and is sealed at rest.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: EventId,
    pub kind: EventType,
    /// CloudEvents `subject` and partition key.
    pub user_id: UserId,
    pub at: Timestamp,
    pub data: Value,
}
