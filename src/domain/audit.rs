//! The audit trail's entries: who did what to whom, when, from where, and how it ended.

use super::{
    Timestamp,
    actor::Actor,
    client::Client,
    error::{Error, Fault},
    id::{AuditId, UserId},
    secret::Sealed,
};
use serde_json::{Value, json};
use std::net::IpAddr;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Success,
    /// By permission, state or limit.
    Refused,
    /// A wrong password or token.
    Failed,
}

impl Outcome {
    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// Reads the name.
    pub fn read(name: &str) -> Result<Self, Fault> {
        let all = [Self::Success, Self::Refused, Self::Failed];
        let unknown = Fault::new("unknown_value", "This is success, refused or failed.");
        all.into_iter()
            .find(|outcome| outcome.as_str() == name)
            .ok_or(unknown)
    }
}

/// A refusal in the words of the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Refused {
    pub outcome: Outcome,
    /// The error's stable code.
    pub code: &'static str,
    /// On whom it would have been done, where the path names somebody.
    pub aim: Option<UserId>,
}

impl Refused {
    /// By a limit that is used up.
    pub const BY_LIMIT: Self = Self {
        outcome: Outcome::Refused,
        code: "rate_limited",
        aim: None,
    };

    /// What has to be in the trail whether or not a use case wrote it: who asks may not, or shows nothing that opens.
    pub fn of(error: &Error) -> Option<Self> {
        let outcome = match error {
            Error::Forbidden(_) => Outcome::Refused,
            Error::Unauthenticated(_) | Error::BadToken => Outcome::Failed,
            _ => return None,
        };
        Some(Self {
            outcome,
            code: error.code(),
            aim: None,
        })
    }
}

/// An entry as it is kept, every column of it but its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    pub id: AuditId,
    pub at: Timestamp,
    pub action: String,
    pub outcome: String,
    pub actor_type: String,
    pub actor_id: Option<UserId>,
    pub subject_id: Option<UserId>,
    /// Whose data key sealed the personal fields; none for the service's own.
    pub key_owner: Option<UserId>,
    pub ip: Option<Sealed>,
    pub ip_index: Option<Vec<u8>>,
    pub user_agent: Option<Sealed>,
    pub request_id: String,
    /// JSON.
    pub details: String,
}

/// Which entries somebody wants to read; all of what is set must hold.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    pub actor: Option<UserId>,
    pub subject: Option<UserId>,
    pub action: Option<String>,
    pub outcome: Option<Outcome>,
    pub ip: Option<IpAddr>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

impl AuditQuery {
    /// The names of what is set.
    pub fn names(&self) -> Vec<&'static str> {
        let all = [
            ("actor", self.actor.is_some()),
            ("subject", self.subject.is_some()),
            ("action", self.action.is_some()),
            ("outcome", self.outcome.is_some()),
            ("ip", self.ip.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
        ];
        let set = all.into_iter().filter(|(_, is_set)| *is_set);
        set.map(|(name, _)| name).collect()
    }
}

/// One entry before it is written; `action` is the use case's verb phrase.
#[derive(Debug, Clone)]
pub struct AuditEntry<'a> {
    pub action: &'static str,
    pub outcome: Outcome,
    pub actor: Actor,
    pub subject: Option<UserId>,
    pub client: &'a Client,
    /// Never personal: codes, counts, ids.
    pub details: Value,
}

impl<'a> AuditEntry<'a> {
    /// A success of `actor` without details.
    pub fn success(action: &'static str, actor: Actor, client: &'a Client) -> Self {
        Self {
            action,
            outcome: Outcome::Success,
            actor,
            subject: actor.user_id(),
            client,
            details: json!({}),
        }
    }

    /// A refusal or failure with its stable code.
    pub fn refusal(action: &'static str, outcome: Outcome, code: &str, client: &'a Client) -> Self {
        Self {
            action,
            outcome,
            actor: Actor::Anonymous,
            subject: None,
            client,
            details: json!({ "code": code }),
        }
    }

    /// On whom it was done.
    pub fn on(mut self, subject: UserId) -> Self {
        self.subject = Some(subject);
        self
    }

    /// By this person on themselves; by somebody unknown if there is none.
    pub fn of(mut self, person: Option<UserId>) -> Self {
        self.actor = person.map_or(Actor::Anonymous, Actor::User);
        self.subject = person;
        self
    }

    /// By whom it was done.
    pub fn by(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// What else is worth knowing; never personal.
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}
