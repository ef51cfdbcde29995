//! What the use cases work with, made as the configuration says.

use crate::{
    config::{Config, JwtAlgorithm, MailTransport, RedisPlace, SmtpTls},
    domain::Result,
    infra::{
        clock::Clock,
        hasher::HasherSettings,
        limiter::{Class, Limiter},
        mailer::{Mailer, SmtpSettings, Tls},
        redis::{Place, Redis},
        signer::{Algorithm, Signer, SigningKey},
    },
};
use anyhow::Context as _;
use secrecy::{ExposeSecret, SecretString};
use std::{sync::Arc, time::Duration};

/// How long one mail may take.
const MAIL_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) fn hasher_settings(config: &Config) -> HasherSettings {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    HasherSettings {
        threads: match config.passwords.hash_threads {
            0 => cores(),
            threads => threads,
        },
        queue: config.passwords.hash_queue,
        memory_kib: config.passwords.hash_memory_kib,
        iterations: config.passwords.hash_iterations,
    }
}

/// Gives the signer a shared secret, or says which keys are to be kept in the database.
pub(super) fn signing(
    config: &Config,
    signer: &Signer,
    clock: &Clock,
) -> Result<Option<(Algorithm, Duration)>> {
    if let Some(secret) = &config.tokens.shared_secret {
        let key = SigningKey::shared_secret(secret.expose_secret().as_bytes(), clock.now())?;
        signer.replace(vec![key])?;
        return Ok(None);
    }
    let algorithm = match config.tokens.algorithm {
        JwtAlgorithm::EdDsa | JwtAlgorithm::Hs256 => Algorithm::EdDsa,
        JwtAlgorithm::Es256 => Algorithm::Es256,
        JwtAlgorithm::Rs256 => Algorithm::Rs256,
    };
    Ok(Some((algorithm, config.tokens.key_rotation)))
}

pub(super) fn make_limiter(config: &Config, clock: &Clock) -> Limiter {
    let limits = &config.limits;
    let rates = [
        (Class::Login, limits.login),
        (Class::Register, limits.register),
        (Class::Mail, limits.mail),
        (Class::Refresh, limits.refresh),
        (Class::Api, limits.api),
        (Class::Recipient, limits.recipient),
        (Class::Account, limits.account),
    ];
    Limiter::new(rates.into_iter().collect(), clock.clone())
}

pub(super) fn make_redis(config: &Config) -> anyhow::Result<Option<Arc<Redis>>> {
    let text = |url: &SecretString| url.expose_secret().to_owned();
    let place = match &config.redis.place {
        None => return Ok(None),
        Some(RedisPlace::One(url)) => Place::One(text(url)),
        Some(RedisPlace::Cluster(urls)) => Place::Cluster(urls.iter().map(text).collect()),
        Some(RedisPlace::Sentinel { sentinels, master }) => Place::Sentinel {
            sentinels: sentinels.iter().map(text).collect(),
            master: master.clone(),
        },
    };
    Ok(Some(Arc::new(Redis::new(place, config.redis.timeout)?)))
}

pub(super) fn make_mailer(config: &Config, clock: &Clock) -> anyhow::Result<Mailer> {
    let MailTransport::Smtp(smtp) = &config.mail.transport else {
        return Ok(Mailer::Mailbox);
    };
    let ca_pem = config
        .mail
        .smtp_ca_file
        .as_ref()
        .map(std::fs::read)
        .transpose();
    let settings = SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port,
        tls: match smtp.tls {
            SmtpTls::Implicit => Tls::Implicit,
            SmtpTls::Required => Tls::Required,
            SmtpTls::Opportunistic => Tls::Opportunistic,
            SmtpTls::Off => Tls::None,
        },
        credentials: smtp.credentials.clone(),
        from: config.mail.from.clone(),
        hello_name: None,
        timeout: MAIL_TIMEOUT,
        ca_pem: ca_pem.context("SMTP_CA_FILE cannot be read")?,
    };
    Mailer::smtp(&settings, clock.clone())
}
