//! What production refuses (SECURITY.md 13.2, F41): each case is the least environment with one thing wrong.

use super::{loaded, problems};
use crate::config::{LogFormat, MailTransport, Origins, SmtpTls};

const KEY: &str = "a:q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1GAAECAwQFBgc=";
const JWT_SECRET: &str = "q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1G";

const LEAST: [(&str, &str); 6] = [
    ("ENVIRONMENT", "production"),
    ("DATABASE_URL", "sqlite:///var/lib/usher/usher.db"),
    ("PUBLIC_URL", "https://accounts.example.com"),
    ("ENCRYPTION_KEYS", KEY),
    ("MAIL_FROM", "Usher <no-reply@example.com>"),
    ("SMTP_URL", "smtp://mail.example.com"),
];

fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs: Vec<(&str, &str)> = LEAST.to_vec();
    pairs.retain(|(name, _)| changes.iter().all(|(other, _)| other != name));
    pairs.extend_from_slice(changes);
    pairs
}

#[test]
fn the_least_environment_is_enough() {
    let config = loaded(&LEAST);
    assert!(config.is_production());
    assert_eq!(config.http.allowed_origins, Origins::Listed(Vec::new()));
    assert_eq!(config.logs.format, LogFormat::Json);
    assert!(!config.database.auto_migrate);
    assert!(!config.webhooks.allow_private);
    assert!(config.admin.email.is_none());
    let MailTransport::Smtp(smtp) = config.mail.transport else {
        panic!("mails must leave by SMTP");
    };
    assert_eq!(smtp.tls, SmtpTls::Required);
}

#[test]
fn each_unsafe_setting_is_refused_in_one_line_that_names_it() {
    let cases = [
        ("ENCRYPTION_KEYS", ""),
        (
            "ENCRYPTION_KEYS",
            "a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        ),
        (
            "ENCRYPTION_KEYS",
            "a:AQIDBAECAwQBAgMEAQIDBAECAwQBAgMEAQIDBAECAwQ=",
        ),
        ("JWT_SECRET_KEY", "your-super-secret-jwt-key"),
        (
            "JWT_SECRET_KEY",
            "your-super-secret-jwt-key-which-is-long-enough",
        ),
        ("JWT_SECRET_KEY", "secret"),
        ("JWT_SECRET_KEY", "q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1"),
        ("METRICS_TOKEN", "changeme"),
        ("METRICS_TOKEN", "changeme-changeme-0123"),
        ("METRICS_TOKEN", "q3Zk0v9rT7uXb2LwYc5NfHsJd8PaMe1"),
        (
            "DATABASE_URL",
            "postgresql://usher:postgres@db.example.com/usher",
        ),
        (
            "DATABASE_URL",
            "postgresql://usher:change%6De@db.example.com/usher",
        ),
        (
            "DATABASE_URL",
            "postgresql://db.example.com/usher?password=changeme",
        ),
        ("REDIS_URL", "redis://:changeme@a:6379,b:6379"),
        ("SMTP_URL", "smtps://usher:password@mail.example.com"),
        ("DATABASE_URL", ""),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "http://accounts.example.com"),
        ("MAIL_TRANSPORT", "mailbox"),
        ("MAIL_FROM", ""),
        ("SMTP_URL", ""),
        ("SMTP_URL", "smtp://mail.example.com?tls=none"),
        ("ALLOWED_ORIGINS", "*"),
        ("HASH_MEMORY_KIB", "19455"),
        ("HASH_ITERATIONS", "1"),
        ("VERIFY_URL", "http://app.example.com/verify#{token}"),
        ("RESET_URL", "http://app.example.com/reset#{token}"),
    ];
    for (name, value) in cases {
        let found = problems(&with(&[(name, value)]));
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].starts_with(name), "{found:?}");
        assert!(!found[0].contains('\n'), "{found:?}");
    }
}

#[test]
fn an_admin_password_needs_an_address_and_strength() {
    let strong = ("ADMIN_PASSWORD", "violet kettle anchors marsh");
    let address = ("ADMIN_EMAIL", "ada@example.com");
    assert!(problems(&with(&[strong, address])).is_empty());
    assert_eq!(problems(&with(&[strong])).len(), 1);
    assert_eq!(
        problems(&with(&[("ADMIN_PASSWORD", "changeme"), address])).len(),
        1
    );
}

#[test]
fn the_passwords_of_servers_are_judged_wherever_they_stand() {
    let database = "postgresql://usher:q3Zk0v9rT7uX@db.example.com/usher";
    let weak = "postgresql://usher:postgres@copy.example.com/usher";
    let kafka = [
        ("KAFKA_BROKERS", "kafka.example.com:9092"),
        ("KAFKA_USERNAME", "usher"),
        ("KAFKA_PASSWORD", "changeme"),
    ];
    let replica = [("DATABASE_URL", database), ("DATABASE_REPLICA_URL", weak)];
    for (changes, name) in [
        (&replica[..], "DATABASE_REPLICA_URL"),
        (&kafka[..], "KAFKA_PASSWORD"),
    ] {
        let found = problems(&with(changes));
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].starts_with(name), "{found:?}");
        assert!(!found[0].contains("changeme"), "{found:?}");
    }
}

#[test]
fn v12_3_3_redis_on_another_machine_is_in_clear_but_under_tls() {
    for (url, is_in_clear) in [
        ("redis://cache.example.com", true),
        ("redis://127.0.0.1:6379,10.0.0.1:6379", true),
        ("redis+sentinel://a:26379/main", true),
        ("rediss://cache.example.com", false),
        ("rediss+sentinel://a:26379/main", false),
        ("redis://localhost:6379", false),
        ("redis://[::1]:6379/0", false),
    ] {
        let config = loaded(&with(&[("REDIS_URL", url)]));
        assert_eq!(config.redis.may_be_in_clear(), is_in_clear, "{url}");
    }
}

#[test]
fn strong_secrets_are_taken() {
    let config = loaded(&with(&[
        (
            "DATABASE_URL",
            "postgresql://usher:q3Zk0v9rT7uX@db.example.com/usher",
        ),
        ("REDIS_URL", "redis://cache.example.com"),
        ("JWT_SECRET_KEY", JWT_SECRET),
        ("METRICS_TOKEN", JWT_SECRET),
    ]));
    assert_eq!(config.tokens.algorithm.as_str(), "HS256");
}

#[test]
fn all_problems_are_told_at_once() {
    let found = problems(&[("ENVIRONMENT", "production"), ("LISTEN", "here")]);
    for name in [
        "DATABASE_URL",
        "PUBLIC_URL",
        "ENCRYPTION_KEYS",
        "MAIL_FROM",
        "SMTP_URL",
        "LISTEN",
    ] {
        let lines = found.iter().filter(|line| line.starts_with(name)).count();
        assert_eq!(lines, 1, "{name}: {found:?}");
    }
    assert_eq!(found.len(), 6);
}

#[test]
fn development_takes_what_the_requirements_show() {
    let config = loaded(&[("JWT_SECRET_KEY", "your-super-secret-jwt-key")]);
    assert_eq!(config.tokens.algorithm.as_str(), "HS256");
    assert_eq!(config.http.allowed_origins, Origins::Any);
    assert_eq!(config.http.public_origin(), "http://127.0.0.1:8001");
    assert!(config.webhooks.allow_private);
}
