//! Typed ids: UUIDv7 (RFC 9562), so that a user's id can never be passed for a session's.

use super::Timestamp;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )+};
}

ids! {
    /// A person's account.
    UserId;
    /// A signed-in device; the family of its refresh tokens.
    SessionId;
    /// One refresh token of a session.
    RefreshTokenId;
    /// One access token (`jti`, RFC 7519).
    AccessTokenId;
    /// A mailed link: verification, reset or change of address.
    LinkId;
    /// An entry of the audit trail.
    AuditId;
    /// An event in the outbox (CloudEvents `id`).
    EventId;
    /// A mail in the outbox.
    MailId;
}

/// A UUIDv7 of this time and these random bytes.
pub fn uuid_v7(at: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
