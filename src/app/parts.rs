//! What the use cases work with, made as the configuration says.

use crate::{
    config::{Config, JwtAlgorithm},
    domain::Result,
    infra::{
        clock::Clock,
        hasher::HasherSettings,
        limiter::{Class, Limiter},
        signer::{Algorithm, Signer, SigningKey},
    },
};
use secrecy::ExposeSecret as _;
use std::time::Duration;

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
        (Class::MailTotal, limits.mail_total),
        (Class::Account, limits.account),
    ];
    Limiter::new(rates.into_iter().collect(), clock.clone())
}
