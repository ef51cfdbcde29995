//! Settings: default < `usher.toml` < `.env` (development only) < environment < flags, checked all at once and typed
//! by section. Each section's file holds its part of the table, its struct and its rules.

mod admin;
mod audit;
mod database;
mod environment;
mod events;
mod files;
mod http;
mod keys;
mod layers;
mod limits;
mod logs;
mod mail;
mod names;
mod passwords;
mod problem;
mod reader;
mod redis;
mod reference;
mod secrets;
mod setting;
mod shown;
mod signup;
mod smtp;
mod sources;
mod subscription;
mod tokens;
mod traces;
mod webhooks;

pub use admin::AdminConfig;
pub use audit::AuditConfig;
pub use database::{DatabaseConfig, Synchronous};
pub use environment::Environment;
pub use events::EventsConfig;
#[cfg(feature = "kafka")]
pub use events::{KafkaMode, SaslMechanism};
pub use http::{Docs, HttpConfig, Origins, TlsFiles};
pub use keys::KeysConfig;
pub use limits::LimitsConfig;
pub use logs::{LogConfig, LogFormat};
pub use mail::{LinkTemplate, MailConfig, MailTransport};
pub use passwords::PasswordsConfig;
pub use problem::ConfigError;
pub use redis::{RedisConfig, RedisPlace};
pub use reference::{env_example, markdown_table};
pub use shown::Shown;
pub use signup::SignupConfig;
pub use smtp::SmtpTls;
pub use sources::{Flags, Sources};
pub use subscription::SubscriptionConfig;
pub use tokens::{JwtAlgorithm, TokensConfig};
pub use traces::TracesConfig;
pub use webhooks::WebhooksConfig;

use crate::domain::policy::Policy;
use layers::Layers;
use reader::Reader;
use std::path::PathBuf;

/// What tests run with unless they name it: a hash that costs nothing, keys that need no file, no rate limits, no
/// hurry on a busy machine.
const FOR_TESTS: [(&str, &str); 12] = [
    ("HASH_MEMORY_KIB", "8"),
    ("HASH_ITERATIONS", "1"),
    (
        "ENCRYPTION_KEYS",
        "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ),
    ("RATE_LIMIT_LOGIN", "off"),
    ("RATE_LIMIT_REGISTER", "off"),
    ("RATE_LIMIT_MAIL", "off"),
    ("RATE_LIMIT_REFRESH", "off"),
    ("RATE_LIMIT_API", "off"),
    ("RATE_LIMIT_RECIPIENT", "off"),
    ("RATE_LIMIT_MAIL_TOTAL", "off"),
    ("RATE_LIMIT_ACCOUNT", "off"),
    ("REQUEST_TIMEOUT_SECONDS", "60"),
];

/// The settings of one node, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// How strict everything else is.
    pub environment: Environment,
    /// Folder of what the service itself keeps on disk.
    pub data_dir: PathBuf,
    /// Which database, how many connections, how durable.
    pub database: DatabaseConfig,
    /// Where to listen, under which address, whom to trust.
    pub http: HttpConfig,
    /// Access and refresh tokens, sessions.
    pub tokens: TokensConfig,
    /// What a sign-up asks for and gives away.
    pub signup: SignupConfig,
    /// Who changes a tier.
    pub subscription: SubscriptionConfig,
    /// Which passwords are taken, and what hashing costs.
    pub passwords: PasswordsConfig,
    /// Master keys of personal data.
    pub keys: KeysConfig,
    /// How mails leave, and their links.
    pub mail: MailConfig,
    /// Events for other systems.
    pub events: EventsConfig,
    /// Rate limits by class.
    pub limits: LimitsConfig,
    /// Where Redis is.
    pub redis: RedisConfig,
    /// The first admin.
    pub admin: AdminConfig,
    /// How long the audit trail is kept.
    pub audit: AuditConfig,
    /// Where webhooks may lead.
    pub webhooks: WebhooksConfig,
    /// How much is logged, in which form.
    pub logs: LogConfig,
    /// Where traces go; none for nowhere.
    pub traces: Option<TracesConfig>,
    shown: Vec<Shown>,
}

impl Config {
    /// Reads and checks all settings; the error holds everything that is wrong, and no value.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let (environment, values, problems) = Layers::read(sources);
        let mut reader = Reader::new(environment, values, problems);
        let config = Self::read(&mut reader);
        let (values, problems) = reader.finish();
        match config {
            Some(config) if problems.is_empty() => Ok(Self {
                shown: shown::of(&values),
                ..config
            }),
            _ => Err(ConfigError::new(problems)),
        }
    }

    /// Development defaults with these pairs on top, at no cost; no file and no environment is looked at.
    pub fn for_tests(pairs: &[(&str, &str)]) -> Result<Self, ConfigError> {
        let named = |name: &str| pairs.iter().any(|(other, _)| *other == name);
        let mut all: Vec<(&str, &str)> = FOR_TESTS.to_vec();
        all.retain(|(name, _)| !named(name));
        all.extend_from_slice(pairs);
        Self::load(&Sources::for_tests(&all))
    }

    /// Whether it is the strict environment.
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Every setting as it may be shown, in the order of the table.
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// The figures that the rules use.
    pub fn policy(&self) -> Policy {
        Policy {
            access_ttl: self.tokens.access_ttl,
            session: self.tokens.session,
            admin_session: self.tokens.admin_session,
            refresh_grace: self.tokens.refresh_grace,
            reauth_max_age: self.tokens.reauth_max_age,
            verification_ttl: self.mail.verification_ttl,
            reset_ttl: self.mail.reset_ttl,
            invitation_ttl: self.mail.invitation_ttl,
            email_change_ttl: self.mail.email_change_ttl,
            email_change_undo_ttl: self.mail.email_change_undo_ttl,
            require_email_verification: self.signup.require_email_verification,
            signup_required: self.signup.required.clone(),
            signup_privacy: self.signup.privacy,
            password: self.passwords.policy,
            stranger_mails: self.limits.recipient,
            max_failures: self.passwords.max_failures,
            audit_retention: self.audit.retention,
            webhook_retention: self.webhooks.retention,
            event_retention: self.events.retention,
            mails_as_events: matches!(self.mail.transport, MailTransport::Events),
            subscription_self_service: self.subscription.self_service,
        }
    }

    fn read(reader: &mut Reader) -> Option<Self> {
        let data_dir = environment::read_data_dir(reader);
        let http = HttpConfig::read(reader);
        let origin = http
            .as_ref()
            .map_or_else(|| "https://localhost".to_owned(), HttpConfig::public_origin);
        let config = Self {
            environment: reader.environment(),
            database: DatabaseConfig::read(reader, &data_dir),
            data_dir,
            tokens: TokensConfig::read(reader, &origin),
            signup: SignupConfig::read(reader),
            subscription: SubscriptionConfig::read(reader),
            passwords: PasswordsConfig::read(reader),
            keys: KeysConfig::read(reader),
            mail: MailConfig::read(reader, &origin),
            events: EventsConfig::read(reader),
            limits: LimitsConfig::read(reader),
            redis: RedisConfig::read(reader),
            admin: AdminConfig::read(reader),
            audit: AuditConfig::read(reader),
            webhooks: WebhooksConfig::read(reader),
            logs: LogConfig::read(reader),
            traces: TracesConfig::read(reader),
            shown: Vec::new(),
            http: http?,
        };
        Some(config)
    }
}

#[cfg(test)]
mod tests;
