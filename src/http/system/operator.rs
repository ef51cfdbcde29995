//! Who may see figures about the deployment: anyone in development and on the operators' own listener; otherwise who
//! shows the metrics token, or is signed in with the permission to read the system.

use super::System;
use crate::{
    domain::{
        error::{Error, Refusal, Result},
        permission::Permission,
    },
    http::{
        extract::{authenticate, bearer},
        settings::Docs,
    },
};
use axum::{extract::FromRequestParts, http::request::Parts};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Somebody who may see figures.
pub struct Operator;

impl FromRequestParts<System> for Operator {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, system: &System) -> Result<Self> {
        if !system.is_open {
            admit(parts, system).await?;
        }
        Ok(Self)
    }
}

/// Somebody who may read the documentation.
pub struct Reader;

impl FromRequestParts<System> for Reader {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, system: &System) -> Result<Self> {
        if system.settings.docs != Docs::Public {
            admit(parts, system).await?;
        }
        Ok(Self)
    }
}

async fn admit(parts: &Parts, system: &System) -> Result<()> {
    let token = bearer(&parts.headers).ok_or(Refusal::NoToken)?;
    let metrics_token = system.settings.metrics_token.as_ref();
    if metrics_token.is_some_and(|expected| is_same(expected.expose_secret(), token)) {
        return Ok(());
    }
    let signed_in = authenticate(parts, &system.services, token).await?;
    signed_in.must(Permission::ReadSystem)
}

/// Compares digests, so that the time tells neither the content nor the length.
fn is_same(expected: &str, shown: &str) -> bool {
    let [expected, shown] = [expected, shown].map(Sha256::digest);
    expected.ct_eq(&shown).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_same() {
        assert!(is_same("token", "token"));
        for other in ["", "toke", "token ", "Token"] {
            assert!(!is_same("token", other));
        }
    }
}
