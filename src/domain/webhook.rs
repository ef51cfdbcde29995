//! Webhooks: where events are sent, which of them, and when a delivery that failed is tried again.

use super::{
    Timestamp,
    change::Change,
    error::Fault,
    event::EventType,
    id::{DeliveryId, EventId, WebhookId},
    public_address::is_public,
    web_link::web_link,
};
use std::{collections::BTreeSet, net::IpAddr, time::Duration};
use url::{Host, Url};

/// A deployment has at most so many.
pub const MOST_WEBHOOKS: i16 = 50;
/// The most types that one names.
pub const MOST_EVENTS: usize = 50;
/// Nothing but failures for so long switches a webhook off.
pub const PATIENCE: Duration = Duration::from_hours(72);
/// For so long after a change of the secret the old one signs as well.
pub const SECRET_OVERLAP: Duration = Duration::from_hours(24);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The pauses that Standard Webhooks suggests, in seconds; together a little more than [`PATIENCE`].
const PAUSES: [u64; 9] = [
    5,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];

/// How long to wait after so many failed attempts; `None` when it is time to give up.
pub fn pause_after(attempts: u32) -> Option<Duration> {
    let index = usize::try_from(attempts).ok()?.checked_sub(1)?;
    PAUSES.get(index).copied().map(Duration::from_secs)
}

/// What an address that is not the public internet's is refused with.
pub const PRIVATE: Fault = Fault::new(
    "private_address",
    "This leads into a private network; name a host of the public internet.",
);

/// Where events are sent. Its path or query may hold a token of the receiver, so it neither prints nor logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// A web address without user, password and fragment; with `https`, and none that is written as a private network
    /// address, unless those are allowed.
    pub fn parse(text: &str, allow_private: bool) -> Result<Self, Fault> {
        let endpoint = Self::read(&web_link(text)?).ok_or(Fault::new(
            "format",
            "This is not a web address such as https://example.com/hook.",
        ))?;
        let url = &endpoint.0;
        if url.fragment().is_some() || url.port() == Some(0) {
            return Err(Fault::new("format", "Leave out the fragment and port 0."));
        }
        if allow_private {
            return Ok(endpoint);
        }
        if url.scheme() != "https" {
            return Err(Fault::new(
                "https_required",
                "This must begin with https://.",
            ));
        }
        if endpoint
            .literal()
            .is_some_and(|literal| !is_public(literal))
        {
            return Err(PRIVATE);
        }
        Ok(endpoint)
    }

    /// What was kept; the rules of its day let it in.
    pub fn read(text: &str) -> Option<Self> {
        Url::parse(text).ok().filter(Url::has_host).map(Self)
    }

    /// The address as the URL standard writes it.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The host, for people; empty if there is none.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The network address that stands in place of a name, however it was spelt.
    pub fn literal(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            Host::Domain(_) => None,
        }
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Endpoint(***)")
    }
}

/// Which events a webhook is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventFilter {
    /// All, those of newer versions of the service included.
    All,
    Only(BTreeSet<EventType>),
}

impl EventFilter {
    /// Reads names of types, or `*` for all.
    pub fn parse(names: &[String]) -> Result<Self, Fault> {
        if names.is_empty() {
            return Err(Fault::new(
                "too_short",
                "Name one type of event at least, or *.",
            ));
        }
        if names.len() > MOST_EVENTS {
            return Err(Fault::new(
                "too_long",
                "These are too many types of events.",
            ));
        }
        if names.iter().any(|name| name == "*") {
            return Ok(Self::All);
        }
        let types: Option<BTreeSet<_>> = names.iter().map(|name| EventType::parse(name)).collect();
        types.map(Self::Only).ok_or(Fault::new(
            "unknown_value",
            "There is no such type of event.",
        ))
    }

    /// Reads what was kept; types that this version does not know are left out.
    pub fn read(text: &str) -> Self {
        if text == "*" {
            return Self::All;
        }
        Self::Only(text.split(' ').filter_map(EventType::parse).collect())
    }

    /// The form in which it is kept.
    pub fn to_text(&self) -> String {
        self.names().join(" ")
    }

    /// Names of types, or `*`.
    pub fn names(&self) -> Vec<&'static str> {
        match self {
            Self::All => vec!["*"],
            Self::Only(types) => types.iter().map(|kind| kind.as_str()).collect(),
        }
    }

    /// Whether events of this type are among them.
    pub fn takes(&self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(types) => EventType::parse(kind).is_some_and(|kind| types.contains(&kind)),
        }
    }
}

/// Gives each variant its name on the wire and in the database.
macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($(#[$about:meta])* $variant:ident = $name:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $kind { $($(#[$about])* $variant),+ }

        impl $kind {
            /// The name on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Reads the name.
            pub fn read(name: &str) -> Option<Self> {
                [$(Self::$variant),+].into_iter().find(|kind| kind.as_str() == name)
            }
        }
    };
}

named! {
    /// Why a webhook is switched off.
    DisabledReason {
        /// Somebody did it.
        ByAdmin = "by_admin";
        /// It answered 410.
        Gone = "gone";
        /// Nothing but failures for [`PATIENCE`].
        Failing = "failing";
    }
}

named! {
    /// How far a delivery has come.
    DeliveryStatus {
        Pending = "pending";
        Delivered = "delivered";
        /// Given up; it can be replayed.
        Dead = "dead";
    }
}

/// A webhook without its address and secret.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub id: WebhookId,
    pub events: EventFilter,
    pub description: Option<String>,
    /// Since when it is switched off, and why.
    pub disabled: Option<(Timestamp, DisabledReason)>,
    /// Since when nothing but failures came back.
    pub failing_since: Option<Timestamp>,
    /// Until when the secret before this one signs as well.
    pub previous_secret_until: Option<Timestamp>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Webhook {
    /// Whether [`PATIENCE`] with it is at its end.
    pub fn has_failed_long_enough(&self, now: Timestamp) -> bool {
        let since = self.failing_since;
        since.is_some_and(|since| (now - since).to_std().is_ok_and(|time| time >= PATIENCE))
    }
}

/// A change of a webhook; what is `None` stays.
#[derive(Debug, Default)]
pub struct WebhookChanges {
    pub endpoint: Option<Endpoint>,
    pub events: Option<EventFilter>,
    pub description: Change<String>,
    pub enabled: Option<bool>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The status code, where an answer came.
    pub answer: Option<u16>,
    /// What went wrong, as a stable word.
    pub fault: Option<&'static str>,
    pub duration: Duration,
}

/// An event on its way to a webhook.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub event: EventId,
    pub kind: String,
    pub status: DeliveryStatus,
    /// Attempts that have begun.
    pub attempts: u32,
    /// None once it is settled.
    pub next_attempt_at: Option<Timestamp>,
    pub last_attempt_at: Option<Timestamp>,
    pub last_answer: Option<u16>,
    pub last_fault: Option<String>,
    pub last_duration: Option<Duration>,
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests;
