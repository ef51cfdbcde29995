//! Floor 2, use cases: what a person, an operator or a clock can ask of the service. Every front door enters here.
//! A use case is one transaction: state, audit row, event row and mail row together or not at all.

pub mod account;
pub mod activity;
pub mod admin;
pub mod audit;
pub mod audit_logs;
pub mod audit_seals;
pub mod audit_verification;
pub mod avatar;
mod checks;
pub mod deactivation;
pub mod email_change;
pub mod email_verification;
pub mod erasure;
pub mod events;
pub mod export;
pub mod failed_logins;
pub mod idempotency;
pub mod invitation;
mod lockout;
pub mod login;
pub mod mail_requests;
pub mod mails;
pub mod master_keys;
pub mod nodes;
mod origin;
pub mod password_change;
pub mod password_reset;
mod passwords;
pub mod people;
mod personal_data;
pub mod preferences;
pub mod profile;
mod profile_views;
pub mod reauthentication;
pub mod replica;
mod required_reset;
pub mod roles;
pub mod search;
pub mod sessions;
mod sign_out_everybody;
pub mod signing_keys;
pub mod signup;
pub mod stats;
pub mod subscription;
pub mod sweep;
pub mod system;
pub mod termination;
pub mod tokens;
pub mod user_export;
pub mod user_import;
pub mod users;
pub mod webhook_deliveries;
pub mod webhook_delivery;
pub mod webhooks;

pub use crate::infra::{
    entropy::Entropy,
    limiter::{Class, Decision},
    mailer::Mailer,
    tracer,
};

use crate::{
    config::LinkTemplate,
    domain::{
        Result, Timestamp, client::Client, id, id::SessionId, policy::Policy, secret::Secret,
    },
    infra::{
        bus::Bus,
        clock::Clock,
        hasher::Hasher,
        image::Images,
        limiter::Limiter,
        outbound::Outbound,
        redis::Redis,
        signer::{Algorithm, Signer},
        vault::Vault,
    },
    storage::{Replica, Store, Tx},
};
use nodes::Nodes;
use personal_data::DataKeys;
use profile_views::ProfileViews;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use url::Url;
use uuid::Uuid;

/// Where the links in mails lead.
#[derive(Debug, Clone)]
pub struct Links {
    pub public: Url,
    pub verify: LinkTemplate,
    pub reset: LinkTemplate,
    pub invite: LinkTemplate,
}

/// What the use cases work with; made once by the wiring.
pub struct Parts {
    pub policy: Policy,
    pub links: Links,
    pub store: Store,
    /// A copy for what may be a moment old.
    pub replica: Option<Replica>,
    pub clock: Clock,
    pub entropy: Entropy,
    pub hasher: Hasher,
    pub images: Images,
    pub signer: Signer,
    pub vault: Vault,
    pub limiter: Limiter,
    pub redis: Option<Arc<Redis>>,
    pub mailer: Mailer,
    pub outbound: Outbound,
    pub bus: Bus,
    pub issuer: String,
    pub audience: String,
    /// The algorithm of new signing keys, and after how long one is replaced; none when a shared secret signs.
    pub signing: Option<(Algorithm, Duration)>,
}

/// All use cases; cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

/// The parts and what is remembered between calls.
pub struct Inner {
    parts: Parts,
    data_keys: DataKeys,
    /// Sessions seen since the last flush.
    seen: Mutex<HashMap<SessionId, Timestamp>>,
    /// Checked sessions at hand, and what other nodes say of them.
    nodes: Arc<Nodes>,
    /// Looks at profiles since the last flush.
    profile_views: Mutex<ProfileViews>,
    /// Refused attempts since the last flush, by action and address.
    refusals: Mutex<HashMap<audit::Source, audit::Refusals>>,
    /// Wakes the courier after a commit that queued a mail or a request for one.
    mail_queued: Notify,
    /// Wakes the placer after a commit that may have added an event.
    event_queued: Notify,
    /// Wakes who puts refused sign-ins on record.
    login_failed: Notify,
    /// Wakes the dispatcher after a commit that queued a delivery.
    delivery_queued: Notify,
    /// Wakes the relay after events were placed.
    event_placed: Notify,
    draining: AtomicBool,
    replica_is_read: AtomicBool,
    ids_made: AtomicU32,
}

impl std::ops::Deref for Services {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl std::ops::Deref for Inner {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Services {
    /// Loads the service's own keys (makes them in a new database) and is ready.
    pub async fn start(parts: Parts) -> Result<Self> {
        let data_keys = DataKeys::load(&parts).await?;
        let nodes = Arc::new(Nodes::new(&parts, &data_keys.service));
        parts.store.tell(Arc::<Nodes>::clone(&nodes));
        let services = Self(Arc::new(Inner {
            nodes,
            parts,
            data_keys,
            seen: Mutex::default(),
            profile_views: Mutex::default(),
            refusals: Mutex::default(),
            mail_queued: Notify::new(),
            event_queued: Notify::new(),
            login_failed: Notify::new(),
            delivery_queued: Notify::new(),
            event_placed: Notify::new(),
            draining: AtomicBool::new(false),
            replica_is_read: AtomicBool::new(false),
            ids_made: AtomicU32::new(0),
        }));
        services.must_know_master_keys().await?;
        services.load_signing_keys().await?;
        Ok(services)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A request id for a request that brought none.
    pub fn new_request_id(&self) -> String {
        self.new_id::<Uuid>().to_string()
    }

    /// A new UUIDv7 id.
    fn new_id<T: From<Uuid>>(&self) -> T {
        let sequence = self.ids_made.fetch_add(1, Ordering::Relaxed);
        T::from(id::uuid_v7(self.now(), sequence, self.entropy.bytes()))
    }

    /// A new secret of 256 random bits.
    fn new_secret(&self) -> Secret {
        Secret::from_random(self.entropy.bytes())
    }

    /// Asks the limits whether one more is allowed.
    pub async fn check_rate(&self, class: Class, key: &str) -> Decision {
        self.limiter.check(class, key).await
    }

    /// Refuses an attempt past its limit, and counts it for the audit trail.
    async fn must_be_within(
        &self,
        class: Class,
        key: &str,
        action: &'static str,
        client: &Client,
    ) -> Result<()> {
        let decision = self.limiter.check(class, key).await;
        if decision.allowed {
            return Ok(());
        }
        self.note_refusal(action, client);
        Err(crate::domain::Error::TooMany {
            retry_after: decision.retry_after.unwrap_or(decision.window),
        })
    }

    /// Commits a transaction that may have queued events, mails or requests for them.
    async fn commit(&self, tx: Tx) -> Result<()> {
        Store::commit(tx).await?;
        self.mail_queued.notify_one();
        self.event_queued.notify_one();
        Ok(())
    }
}

/// The time that is `ttl` ago.
fn before(now: Timestamp, ttl: Duration) -> Timestamp {
    now - chrono::TimeDelta::from_std(ttl).unwrap_or(chrono::TimeDelta::MAX)
}

/// The time after `ttl`.
fn after(now: Timestamp, ttl: Duration) -> Timestamp {
    now + chrono::TimeDelta::from_std(ttl).unwrap_or(chrono::TimeDelta::MAX)
}
