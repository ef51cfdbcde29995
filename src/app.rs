//! Floor 4, wiring: [`build`] puts the parts together, the same way in production and in tests. What tests replace is
//! [`Means`]; nothing else knows that there are tests.

mod database;
mod event_bus;
mod first_start;
mod master_key_file;
mod parts;
mod router;
mod senders;

use crate::{
    config::Config,
    infra::{
        bus::Bus, clock::Clock, entropy::Entropy, hasher::Hasher, image::Images, mailer::Mailer,
        outbound::Resolver, signer::Signer, vault::Vault,
    },
    jobs::Jobs,
    services::{Links, Parts, Services, events::held_back::HeldBack, webhook_delivery::Deliveries},
    storage::schema,
};
use anyhow::Context as _;
pub(crate) use database::connect;
use database::{bring_schema, open_replica, warn_of_unknown_letters};
use parts::{hasher_settings, make_limiter, signing};
use senders::{make_mailer, make_outbound, make_redis};
use std::time::Duration;

/// The outside world: what a test puts something of its own in place of.
pub struct Means {
    /// Where the time comes from.
    pub clock: Clock,
    /// Where randomness comes from.
    pub entropy: Entropy,
    /// Where mails go; none for what the configuration says.
    pub mailer: Option<Mailer>,
    /// Where events go; none for what the configuration says.
    pub bus: Option<Bus>,
    /// What turns the names of webhooks' hosts into addresses.
    pub resolver: Resolver,
}

impl Default for Means {
    /// The machine's clock and randomness, the configured mail server.
    fn default() -> Self {
        Self {
            clock: Clock::System,
            entropy: Entropy::System,
            mailer: None,
            bus: None,
            resolver: Resolver::System,
        }
    }
}

/// The service, ready to be served.
pub struct App {
    /// Every front door.
    pub router: axum::Router,
    /// What `ADMIN_LISTEN` shows.
    pub(crate) admin_router: axum::Router,
    services: Services,
    /// They hear other nodes as long as the app is there.
    _ears: Jobs,
}

/// Puts the service together: connects, brings or checks the schema, loads the keys, makes the first admin.
pub async fn build(config: &Config, means: Means) -> anyhow::Result<App> {
    let services = services(config, means, true).await?;
    warn_of_unknown_letters(&services.store).await?;
    services.make_missing_signing_key().await?;
    first_start::make_first_admin(config, &services).await?;
    let (router, admin_router) = router::routers(config, &services);
    Ok(App {
        router,
        admin_router,
        _ears: Jobs::start_ears(&services),
        services,
    })
}

impl App {
    /// Starts what happens without anybody asking.
    pub(crate) fn start_jobs(&self) -> Jobs {
        let store = self.services.store.clone();
        tokio::spawn(async move { store.fill().await });
        Jobs::start(&self.services)
    }

    /// Does what was put off until after an answer: refused sign-ins go on record, mails that were asked for to the outbox.
    pub async fn catch_up(&self) -> anyhow::Result<()> {
        while self.services.record_failed_logins().await? > 0 {}
        while self.services.answer_mail_requests().await? > 0 {}
        Ok(())
    }

    /// Sends every mail that is due, those included that were asked for; what the courier does on its beat.
    pub async fn deliver_mails(&self) -> anyhow::Result<()> {
        self.catch_up().await?;
        while self.services.send_due_mails().await? > 0 {}
        Ok(())
    }

    /// Gives every event that was committed so far its position; what the placer does on its beat.
    pub async fn place_events(&self) -> anyhow::Result<()> {
        while self.services.place_events().await? > 0 {}
        Ok(())
    }

    /// Delivers every event that is due to the webhooks; what the dispatcher does on its beat.
    pub async fn deliver_webhooks(&self) -> anyhow::Result<()> {
        let mut deliveries = Deliveries::default();
        while self.services.start_deliveries(&mut deliveries).await? > 0 || !deliveries.is_empty() {
            deliveries.one_ended().await;
        }
        Ok(())
    }

    /// Delivers the events that were committed so far, as far as the broker takes them; what the relay does while it leads.
    pub async fn deliver_events(&self) -> anyhow::Result<()> {
        self.place_events().await?;
        let mut held = HeldBack::default();
        loop {
            let relayed = self.services.relay_events(&mut held).await?;
            if relayed.delivered == 0 || relayed.is_stuck {
                return Ok(());
            }
        }
    }

    /// Writes what is gathered in memory and forgets what has expired; what the other jobs do on their beats.
    pub async fn do_housekeeping(&self) -> anyhow::Result<()> {
        self.catch_up().await?;
        self.services.flush_seen().await?;
        self.services.flush_profile_views().await?;
        self.services.flush_refusals().await?;
        self.services.load_signing_keys().await?;
        self.services.rotate_aged_signing_keys().await?;
        self.place_events().await?;
        while self.services.seal_audit_log().await? > 0 {}
        while self.services.sweep().await? {}
        while self.services.sweep_events().await? {}
        while self.services.sweep_audit_log().await? {}
        self.services.observe().await?;
        self.services.watch_replica().await;
        Ok(())
    }

    /// Of the sessions that were read last those of which the database says something else; for tests, that there are none.
    pub async fn untrue_sessions(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.services.untrue_sessions(8).await?)
    }

    /// For how long a session in memory is believed at this moment.
    pub fn session_trust(&self) -> Duration {
        self.services.session_trust()
    }

    /// Whether Redis answered when it was last asked.
    pub fn has_redis(&self) -> bool {
        self.services.has_redis()
    }

    /// Reads every session anew, as after a change behind the service's back.
    pub fn forget_sessions(&self) {
        self.services.forget_sessions();
    }

    /// Tells load balancers to go elsewhere.
    pub fn drain(&self) {
        self.services.drain();
    }

    /// Closes the database.
    pub async fn close(&self) {
        if let Some(replica) = &self.services.replica {
            replica.close().await;
        }
        self.services.store.close().await;
    }
}

/// Brings the schema of the configured database up to date.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    let store = connect(config).await?;
    schema::up(&store, None).await?;
    store.close().await;
    Ok(())
}

/// The use cases without a front door, for the command line.
pub(crate) async fn services(
    config: &Config,
    means: Means,
    prepare_schema: bool,
) -> anyhow::Result<Services> {
    let store = connect(config).await?;
    if prepare_schema {
        bring_schema(config, &store).await?;
    }
    let replica = open_replica(config).await?;
    let Means {
        clock,
        entropy,
        mailer,
        bus,
        resolver,
    } = means;
    let keys = master_key_file::master_keys(config, &entropy)?;
    let signer = Signer::new(config.tokens.issuer.clone(), config.tokens.audience.clone());
    let signing = signing(config, &signer, &clock)?;
    let parts = Parts {
        policy: config.policy(),
        links: Links {
            public: config.http.public_url.clone(),
            verify: config.mail.verify_url.clone(),
            reset: config.mail.reset_url.clone(),
            invite: config.mail.invite_url.clone(),
        },
        store,
        replica,
        hasher: Hasher::start(hasher_settings(config), entropy.clone()),
        images: Images::new(),
        signer,
        vault: Vault::new(keys, entropy.clone()),
        limiter: make_limiter(config, &clock),
        redis: make_redis(config)?,
        mailer: match mailer {
            Some(mailer) => mailer,
            None => make_mailer(config, &clock)?,
        },
        outbound: make_outbound(config, resolver)?,
        bus: match bus {
            Some(bus) => bus,
            None => event_bus::make_bus(config)?,
        },
        issuer: config.tokens.issuer.clone(),
        audience: config.tokens.audience.clone(),
        signing,
        clock,
        entropy,
    };
    Services::start(parts)
        .await
        .context("the keys in the database cannot be opened: are ENCRYPTION_KEYS right?")
}
