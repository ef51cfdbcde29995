//! What happened, for other systems: the types of the outbox (CloudEvents 1.0 `type`).

use super::{
    Timestamp,
    id::{EventId, UserId},
    secret::Sealed,
};
use serde_json::Value;

macro_rules! event_types {
    ($($variant:ident = $name:literal;)+) => {
        /// The type of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType { $($variant),+ }

        impl EventType {
            /// All types.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// CloudEvents `type`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Reads the name; `None` for any other.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
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
    MailRequested = "user.mail_requested";
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

/// An event as it is kept.
#[derive(Clone)]
pub struct StoredEvent {
    pub id: EventId,
    /// One of [`EventType`], or of a newer version of the service.
    pub kind: String,
    pub user_id: UserId,
    /// From 1 on and without holes in the order of its person's commits.
    pub sequence: i64,
    pub at: Timestamp,
    pub request_id: String,
    /// W3C Trace Context.
    pub trace_parent: Option<String>,
    pub data: Sealed,
}

/// An event with its position in the one order of all events. Positions are given after the commit: whoever has read
/// up to one never misses an event before it.
#[derive(Clone)]
pub struct PlacedEvent {
    pub position: i64,
    pub event: StoredEvent,
}

/// Gives events the positions after `last`: by time, but never against the order of a person's own, whatever the clock
/// did meanwhile.
pub fn place_after(last: i64, mut events: Vec<StoredEvent>) -> Vec<PlacedEvent> {
    events.sort_by_key(|event| (event.user_id, event.sequence));
    let mut latest = None;
    let mut timed: Vec<_> = events
        .into_iter()
        .map(|event| {
            let own = (event.at, event.id);
            let time = match latest {
                Some((user, time)) if user == event.user_id && time > own => time,
                _ => own,
            };
            latest = Some((event.user_id, time));
            (time, event)
        })
        .collect();
    // Stable: what has the same time stays in its person's order.
    timed.sort_by_key(|(time, _)| *time);
    let positions = last.saturating_add(1)..;
    positions
        .zip(timed)
        .map(|(position, (_, event))| PlacedEvent { position, event })
        .collect()
}

/// Which events somebody wants to read; all of what is set must hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventQuery {
    pub kind: Option<EventType>,
    pub subject: Option<UserId>,
}

impl EventQuery {
    /// The names of what is set.
    pub fn names(&self) -> Vec<&'static str> {
        let all = [
            ("type", self.kind.is_some()),
            ("subject", self.subject.is_some()),
        ];
        let set = all.into_iter().filter(|(_, is_set)| *is_set);
        set.map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use uuid::Uuid;

    fn event(user: u8, sequence: i64, at: i64) -> StoredEvent {
        let at = Timestamp::from_timestamp_micros(at).unwrap();
        let id = (u128::from(user) << 64) | u128::from(sequence.unsigned_abs());
        StoredEvent {
            id: EventId(Uuid::from_u128(id)),
            kind: EventType::Updated.as_str().to_owned(),
            user_id: UserId(Uuid::from_u128(user.into())),
            sequence,
            at,
            request_id: String::new(),
            trace_parent: None,
            data: Sealed(Vec::new()),
        }
    }

    #[test]
    fn every_type_is_read_by_its_name() {
        for kind in EventType::ALL {
            assert_eq!(EventType::parse(kind.as_str()), Some(*kind));
        }
        assert_eq!(EventType::parse("user.unheard_of"), None);
    }

    #[test]
    fn events_of_different_people_lie_in_the_order_of_their_times() {
        let placed = place_after(7, vec![event(1, 1, 30), event(2, 1, 10), event(3, 1, 20)]);
        let told: Vec<_> = placed
            .iter()
            .map(|placed| (placed.position, placed.event.at.timestamp_micros()))
            .collect();
        assert_eq!(told, [(8, 10), (9, 20), (10, 30)]);
    }

    proptest! {
        #[test]
        fn a_persons_events_keep_their_order_whatever_the_clock_did(
            times in proptest::collection::vec((0_u8..4, 0_i64..20), 0..40), last in 0_i64..1000,
        ) {
            let mut sequences = HashMap::new();
            let events = times.iter().map(|(user, at)| {
                let sequence = sequences.entry(*user).and_modify(|n| *n += 1).or_insert(1);
                event(*user, *sequence, *at)
            });
            let placed = place_after(last, events.collect());
            let positions: Vec<i64> = placed.iter().map(|placed| placed.position).collect();
            let expected: Vec<i64> = (last + 1..).take(times.len()).collect();
            prop_assert_eq!(positions, expected);
            let mut seen = HashMap::new();
            for PlacedEvent { event, .. } in placed {
                let before = seen.insert(event.user_id, event.sequence).unwrap_or(0);
                prop_assert_eq!(event.sequence, before + 1);
            }
        }
    }
}
