//! The rules that hold in every environment: defaults, forms, and settings that depend on each other.

use super::{loaded, problems, shown};
use crate::config::{
    Config, Docs, MailTransport, Origins, database::Backend, layers::Layers, reader::Reader,
    setting, sources::Sources,
};
use crate::domain::policy::{SignupField, SignupPrivacy};
use secrecy::ExposeSecret;
use std::{collections::BTreeSet, time::Duration};

#[test]
fn every_setting_of_the_table_is_read_and_no_other() {
    let (environment, values, problems) = Layers::read(&Sources::for_tests(&[]));
    let mut reader = Reader::new(environment, values, problems);
    assert!(Config::read(&mut reader).is_some());
    let mut asked = reader.asked.clone();
    // Read before the others, because it decides how they are read.
    asked.insert("ENVIRONMENT");
    let table: BTreeSet<&str> = setting::all().map(|setting| setting.name).collect();
    assert_eq!(asked, table);
    assert_eq!(table.len(), setting::all().count());
}

#[test]
fn nothing_needs_to_be_set_in_development() {
    let config = loaded(&[]);
    assert_eq!(
        config.database.url.expose_secret(),
        "sqlite://./data/usher.db"
    );
    assert_eq!(config.database.backend, Backend::Sqlite);
    assert_eq!(config.database.max_connections, 30);
    assert!(config.database.auto_migrate);
    assert!(matches!(config.mail.transport, MailTransport::Mailbox));
    assert_eq!(config.http.docs, Docs::Public);
    assert_eq!(config.tokens.algorithm.as_str(), "EdDSA");
    assert_eq!(config.tokens.issuer, "http://127.0.0.1:8001");
    let policy = config.policy();
    assert_eq!(policy.access_ttl, Duration::from_mins(30));
    assert_eq!(policy.session.idle, Duration::from_hours(7 * 24));
    assert_eq!(policy.session.absolute, Duration::from_hours(30 * 24));
    assert_eq!(policy.admin_session.idle, Duration::from_hours(1));
    assert_eq!(policy.reset_ttl, Duration::from_hours(1));
    assert_eq!(policy.refresh_grace, Duration::from_secs(10));
    assert_eq!(policy.password.as_str(), "tiered");
    assert_eq!(policy.signup_privacy, SignupPrivacy::Friendly);
    assert_eq!(policy.max_failures, 100);
}

/// Each is refused by itself, whatever else is set.
const MALFORMED: &[(&str, &str)] = &[
    ("ENVIRONMENT", "prod"),
    ("LISTEN", "8001"),
    ("LISTEN", "example.com:80"),
    ("ADMIN_LISTEN", "127.0.0.1:8001"),
    ("PUBLIC_URL", "accounts.example.com"),
    ("PUBLIC_URL", "ftp://example.com"),
    ("PUBLIC_URL", "https://user:pw@example.com"),
    ("PUBLIC_URL", "https://example.com/auth"),
    ("PUBLIC_URL", "https://example.com/?a=b"),
    ("DATABASE_URL", "mysql://localhost/x"),
    ("DATABASE_URL", "postgresql+asyncpg://localhost/x"),
    ("DATABASE_URL", "postgresql://u:p@host:port/x"),
    ("DATABASE_URL", "sqlite://"),
    ("DATABASE_URL", "sqlite://:memory:"),
    ("DATABASE_URL", "sqlite:///tmp/usher.db?mode=ro"),
    ("DATABASE_REPLICA_URL", "postgresql://replica/usher"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "authorization"),
    ("OTEL_TRACES_SAMPLER_ARG", "2"),
    ("DB_POOL_SIZE", "0"),
    ("DB_POOL_SIZE", "ten"),
    ("DB_MAX_OVERFLOW", "-1"),
    ("AUTO_MIGRATE", "maybe"),
    ("ALLOWED_ORIGINS", "https://a.io,*"),
    ("ALLOWED_ORIGINS", "null"),
    ("ALLOWED_ORIGINS", "https://a.io/path"),
    ("DRAIN_SECONDS", "10"),
    ("DRAIN_SECONDS", "-1"),
    ("TRUSTED_PROXIES", "10.0.0.0/40"),
    ("TRUSTED_PROXIES", "proxy.local"),
    ("ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
    ("REFRESH_GRACE_SECONDS", "11"),
    ("REFRESH_TOKEN_EXPIRE_DAYS", "31"),
    ("ADMIN_SESSION_IDLE_MINUTES", "1441"),
    ("MAX_LOGIN_FAILURES", "101"),
    ("JWT_ALGORITHM", "none"),
    ("JWT_ALGORITHM", "HS256"),
    (
        "ENCRYPTION_KEYS",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ),
    ("ENCRYPTION_KEYS", "a:AAECAwQF"),
    ("ENCRYPTION_KEYS", ","),
    (
        "ENCRYPTION_KEYS",
        "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=,",
    ),
    ("MAIL_FROM", "no address"),
    ("MAIL_FROM", "a@b.io\r\nBcc: c@d.io"),
    ("MAIL_TRANSPORT", "pigeon"),
    ("SMTP_URL", "mail.example.com"),
    ("KAFKA_BROKERS", "kafka://a"),
    ("KAFKA_TOPIC", "two words"),
    ("KAFKA_MODE", "avro"),
    ("KAFKA_TLS", "perhaps"),
    ("KAFKA_SASL_MECHANISM", "gssapi"),
    ("EVENTS_RETENTION_DAYS", "0"),
    ("VERIFY_URL", "https://app.example.com/verify"),
    ("VERIFY_URL", "https://{token}.example.com/"),
    ("RESET_URL", "javascript:alert({token})"),
    ("RATE_LIMIT_LOGIN", "10 a minute"),
    ("SIGNUP_REQUIRED_FIELDS", "username,shoe_size"),
    ("SIGNUP_PRIVACY", "paranoid"),
    ("PASSWORD_POLICY", "none"),
    ("HASH_MEMORY_KIB", "7"),
    ("LOG_LEVEL", "loud"),
    ("LOG_FORMAT", "xml"),
    ("DOCS", "private"),
    ("ADMIN_EMAIL", "ada"),
];

#[test]
fn each_malformed_value_is_refused_in_one_line_that_names_it() {
    for (name, value) in MALFORMED.iter().copied() {
        let found = problems(&[(name, value)]);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].starts_with(&format!("{name} m")), "{found:?}");
        assert!(!found[0].contains('\n'), "{found:?}");
    }
}

#[test]
fn halves_of_a_pair_are_refused() {
    assert!(problems(&[("TLS_CERT", "c.pem")])[0].starts_with("TLS_KEY must"));
    assert!(problems(&[("TLS_KEY", "k.pem")])[0].starts_with("TLS_CERT must"));
    for half in [
        "KAFKA_CERT_FILE",
        "KAFKA_KEY_FILE",
        "KAFKA_USERNAME",
        "KAFKA_PASSWORD",
    ] {
        let found = problems(&[(half, "x")]);
        assert!(found[0].starts_with(&format!("{half} must")), "{found:?}");
    }
    let mismatch = [("JWT_ALGORITHM", "ES256"), ("JWT_SECRET_KEY", "x")];
    assert!(problems(&mismatch)[0].starts_with("JWT_SECRET_KEY must not"));
    let twice = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let twice = format!("{twice},{twice}");
    assert_eq!(problems(&[("ENCRYPTION_KEYS", &twice)]).len(), 1);
}

#[test]
fn lists_are_read_item_by_item() {
    let config = loaded(&[
        (
            "ALLOWED_ORIGINS",
            "https://App.example.com/, http://localhost:3000",
        ),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("SIGNUP_REQUIRED_FIELDS", "username,country"),
    ]);
    let origins = ["https://app.example.com", "http://localhost:3000"];
    assert_eq!(
        config.http.allowed_origins,
        Origins::Listed(origins.map(str::to_owned).to_vec())
    );
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(
        config.signup.required,
        BTreeSet::from([SignupField::Username, SignupField::Country])
    );
    let none = loaded(&[("ALLOWED_ORIGINS", "none")]);
    assert_eq!(none.http.allowed_origins, Origins::Listed(Vec::new()));
}

#[test]
fn links_lead_to_the_public_url_unless_told_otherwise() {
    let config = loaded(&[
        ("PUBLIC_URL", "https://accounts.example.com/"),
        ("RESET_URL", "https://app.example.com/reset#{token}"),
    ]);
    let link = config.mail.verify_url.with_token("abc");
    assert_eq!(link, "https://accounts.example.com/verify-email?token=abc");
    let link = config.mail.reset_url.with_token("abc");
    assert_eq!(link, "https://app.example.com/reset#abc");
}

#[test]
fn the_public_url_follows_the_listener() {
    let origin = |pairs: &[(&str, &str)]| loaded(pairs).http.public_origin();
    assert_eq!(origin(&[("LISTEN", "[::1]:9000")]), "http://[::1]:9000");
    assert_eq!(
        origin(&[("LISTEN", "0.0.0.0:9000")]),
        "http://localhost:9000"
    );
    let tls = [("TLS_CERT", "c.pem"), ("TLS_KEY", "k.pem")];
    assert_eq!(origin(&tls), "https://127.0.0.1:8001");
    let config = loaded(&[("LISTEN", "localhost:9000")]);
    let expected = (Some("http://127.0.0.1:9000"), "default");
    assert_eq!(shown(&config, "PUBLIC_URL"), expected);
    assert_eq!(shown(&config, "JWT_ISSUER"), expected);
}

#[test]
fn tests_pay_nothing_and_are_not_limited() {
    let config = Config::for_tests(&[("RATE_LIMIT_LOGIN", "2/1m")]).unwrap();
    assert_eq!(config.passwords.hash_memory_kib, 8);
    assert_eq!(config.passwords.hash_iterations, 1);
    assert_eq!(config.limits.login.unwrap().count, 2);
    assert!(config.limits.api.is_none() && config.limits.account.is_none());
    assert!(Config::for_tests(&[("RATE_LIMIT_LOGINS", "2/1m")]).is_err());
}
