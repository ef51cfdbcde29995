//! The app under test, built by the same function as in production. Time is wound, never slept; requests go through the
//! real router without a socket.

use super::{
    client::{Reply, RequestBuilder},
    database::TestDatabase,
    logs::Logs,
};
use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Method, Request, header},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tower::ServiceExt as _;
use usher::{App, Bus, Clock, Config, Entropy, Mailer, Means, Message, Resolver};

/// When tests begin: a Monday.
pub const BEGIN: &str = "2026-01-05T12:00:00Z";
/// Ada the admin is there from the start.
pub const ADA: &str = "ada@example.com";
/// What everybody in the cast has chosen.
pub const PASSWORD: &str = "SecurePass123";

/// The least settings of a production deployment.
pub const PRODUCTION: &[(&str, &str)] = &[
    ("ENVIRONMENT", "production"),
    ("AUTO_MIGRATE", "true"),
    ("PUBLIC_URL", "https://usher.example"),
    (
        "ENCRYPTION_KEYS",
        "a:q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1GAAECAwQFBgc=",
    ),
    ("MAIL_FROM", "Usher <no-reply@example.com>"),
    ("SMTP_URL", "smtp://mail.example.com"),
    ("HASH_MEMORY_KIB", "19456"),
    ("HASH_ITERATIONS", "2"),
];

/// The service with everything around it that a test can touch.
pub struct TestApp {
    pub app: App,
    pub clock: Clock,
    pub db: Arc<TestDatabase>,
    pub logs: Logs,
    inbox: Arc<Mutex<BTreeMap<String, Message>>>,
    errors_expected: AtomicBool,
    pub(super) seen_touches: AtomicU64,
    pub(super) under_way: AtomicU64,
}

impl TestApp {
    /// With the usual test settings: no rate limits, hashes that cost nothing.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With these settings on top.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let db = Arc::new(TestDatabase::create().await);
        let clock = Clock::hand_wound(BEGIN.parse().unwrap());
        Self::start_on(db, clock, 1, settings).await
    }

    /// Another node on the same database, with the same clock; `seed` must differ.
    pub async fn start_node(&self, seed: u64, settings: &[(&str, &str)]) -> Self {
        Self::start_on(Arc::clone(&self.db), self.clock.clone(), seed, settings).await
    }

    /// On this database and clock.
    pub async fn start_on(
        db: Arc<TestDatabase>,
        clock: Clock,
        seed: u64,
        settings: &[(&str, &str)],
    ) -> Self {
        Self::start_among(db, clock, seed, settings, Resolver::System).await
    }

    /// The same where names of hosts stand for these addresses.
    pub async fn start_among(
        db: Arc<TestDatabase>,
        clock: Clock,
        seed: u64,
        settings: &[(&str, &str)],
        resolver: Resolver,
    ) -> Self {
        Self::start_with_means((db, clock), seed, settings, (resolver, None)).await
    }

    /// The same, with events delivered to this bus; none for what the settings say.
    pub async fn start_with_means(
        (db, clock): (Arc<TestDatabase>, Clock),
        seed: u64,
        settings: &[(&str, &str)],
        (resolver, bus): (Resolver, Option<Bus>),
    ) -> Self {
        let logs = Logs::capture();
        let (url, folder) = (db.url(), db.folder().display().to_string());
        let mut all = vec![
            ("DATABASE_URL", url.as_str()),
            ("DATA_DIR", folder.as_str()),
            ("SQLITE_SYNCHRONOUS", "normal"),
            ("PUBLIC_URL", "http://usher.test"),
            ("ADMIN_EMAIL", ADA),
            ("ADMIN_PASSWORD", PASSWORD),
        ];
        all.retain(|(name, _)| !settings.iter().any(|(other, _)| other == name));
        all.extend_from_slice(settings);
        let config = Config::for_tests(&all).unwrap();
        let inbox = Arc::new(Mutex::new(BTreeMap::new()));
        let mailer = Some(Mailer::Memory(Arc::clone(&inbox)));
        let means = Means {
            clock: clock.clone(),
            entropy: Entropy::seeded(seed),
            mailer,
            resolver,
            bus,
        };
        let app = usher::build(&config, means).await.unwrap();
        Self {
            app,
            clock,
            db,
            logs,
            inbox,
            errors_expected: AtomicBool::new(false),
            seen_touches: AtomicU64::new(0),
            under_way: AtomicU64::new(0),
        }
    }

    /// Winds the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// The time by the test's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A request to be shaped and sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder<'_> {
        RequestBuilder::new(self, method, path)
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Reply {
        self.request(Method::GET, path).send().await
    }

    /// `GET` with an access token.
    pub async fn get_as(&self, token: &str, path: &str) -> Reply {
        self.request(Method::GET, path).bearer(token).send().await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.request(Method::POST, path).json(body).send().await
    }

    /// `POST` with an access token and a JSON body.
    pub async fn post_as(&self, token: &str, path: &str, body: Value) -> Reply {
        self.request(Method::POST, path)
            .bearer(token)
            .json(body)
            .send()
            .await
    }

    /// Any method with an access token and a JSON body; none if it is null.
    pub async fn ask(&self, method: Method, token: &str, path: &str, body: Value) -> Reply {
        let request = self.request(method, path).bearer(token);
        if body.is_null() {
            return request.send().await;
        }
        request.json(body).send().await
    }

    /// Through the whole router, from this address.
    pub async fn send(&self, mut request: Request<Body>, from: IpAddr) -> Reply {
        let host = request.headers_mut().entry(header::HOST);
        host.or_insert(HeaderValue::from_static("usher.test"));
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::new(from, 50_000)));
        self.learn_of_changes().await;
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let response = self.app.router.clone().oneshot(request).await.unwrap();
        let reply = Reply::read(response).await;
        // Of a race the last one looks: the others would only be in its way.
        if self.under_way.fetch_sub(1, Ordering::SeqCst) == 1 && !self.is_one_of_many_on_sqlite() {
            self.sessions_are_true().await;
        }
        reply
    }

    /// Lets what was put off until after an answer take its course: the records of refused sign-ins, and mails up to the outbox.
    pub async fn catch_up(&self) {
        self.app.catch_up().await.unwrap();
    }

    /// Every mail so far, oldest first; sends what is due before it looks.
    pub async fn inbox(&self) -> Vec<Message> {
        self.app.deliver_mails().await.unwrap();
        self.inbox.lock().unwrap().values().cloned().collect()
    }

    /// The mails to one address, oldest first.
    pub async fn mails_to(&self, email: &str) -> Vec<Message> {
        let mut mails = self.inbox().await;
        mails.retain(|mail| mail.to == email);
        mails
    }

    /// The token in the newest mail to this address that has one.
    pub async fn last_token_to(&self, email: &str) -> String {
        let mails = self.mails_to(email).await;
        let mut tokens = mails
            .iter()
            .filter_map(|mail| mail.text.split_once("token="));
        let (_, token) = tokens
            .next_back()
            .unwrap_or_else(|| panic!("no link to {email}"));
        token.split_whitespace().next().unwrap().to_owned()
    }

    /// This test makes the service log errors.
    pub fn expect_errors(&self) {
        self.errors_expected.store(true, Ordering::Relaxed);
    }
}

impl Drop for TestApp {
    /// Nothing is left to send, and no error was logged unexpectedly.
    fn drop(&mut self) {
        if std::thread::panicking() || self.errors_expected.load(Ordering::Relaxed) {
            return;
        }
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                self.app
                    .deliver_mails()
                    .await
                    .expect("the outbox could not be drained");
                for (left, count) in [
                    (
                        "mails are left in the outbox",
                        "SELECT count(*) FROM outbox_mails WHERE status = 'pending'",
                    ),
                    (
                        "mails that were asked for are left",
                        "SELECT count(*) FROM mail_requests",
                    ),
                    (
                        "refused sign-ins are not on record",
                        "SELECT count(*) FROM failed_logins",
                    ),
                ] {
                    assert_eq!(self.db.number(count).await, 0, "{left}");
                }
            });
        });
        assert_eq!(
            self.logs.errors(),
            Vec::<String>::new(),
            "errors were logged"
        );
    }
}
