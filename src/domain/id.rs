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
    /// A mail that was asked for.
    MailRequestId;
    /// A refused sign-in that is not yet on record.
    FailedLoginId;
    /// One try at a request that may come again.
    RunId;
    /// Where events are sent.
    WebhookId;
    /// One event on its way to one webhook.
    DeliveryId;
}

/// A UUIDv7 (RFC 9562, section 6.2, method 1): of one process, ids of the same millisecond sort by `sequence`, of which
/// 26 bits count; the rest is random.
pub fn uuid_v7(at: Timestamp, sequence: u32, random: [u8; 6]) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
    let [_, _, low_high, low_low] = (sequence & 0x3fff).to_be_bytes();
    let [_, _, high_high, high_low] = ((sequence >> 14) & 0x0fff).to_be_bytes();
    let mut bytes = [high_high, high_low, low_high, low_low, 0, 0, 0, 0, 0, 0];
    for (to, from) in bytes.iter_mut().skip(4).zip(random) {
        *to = from;
    }
    uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_of_one_millisecond_sort_by_their_sequence(sequence in 0_u32..0x3ff_ffff, one: [u8; 6], two: [u8; 6]) {
            let at = Timestamp::from_timestamp_millis(1_767_614_400_123).unwrap();
            let (first, second) = (uuid_v7(at, sequence, one), uuid_v7(at, sequence + 1, two));
            prop_assert!(first < second);
            prop_assert_eq!(first.get_version_num(), 7);
            prop_assert_eq!(first.get_variant(), uuid::Variant::RFC4122);
        }
    }
}
