//! Access and refresh tokens, their signing keys, and how long sessions last.

use super::{
    reader::Reader,
    secrets,
    setting::{Fallback, Setting},
};
use crate::domain::session::SessionLimits;
use secrecy::SecretString;
use std::time::Duration;

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "ACCESS_TOKEN_EXPIRE_MINUTES",
        Fallback::Fixed("30"),
        "Lifetime of an access token.",
    ),
    Setting::new(
        "REFRESH_TOKEN_EXPIRE_DAYS",
        Fallback::Fixed("7"),
        "A session that is not refreshed for so long ends.",
    ),
    Setting::new(
        "REFRESH_GRACE_SECONDS",
        Fallback::Fixed("10"),
        "For so long a refresh token that was just used answers parallel calls with the same successor; at most 10.",
    ),
    Setting::new(
        "SESSION_ABSOLUTE_DAYS",
        Fallback::Fixed("30"),
        "A session never lasts longer than this.",
    ),
    Setting::new(
        "ADMIN_SESSION_ABSOLUTE_HOURS",
        Fallback::Fixed("24"),
        "An admin's session never lasts longer than this.",
    ),
    Setting::new(
        "ADMIN_SESSION_IDLE_MINUTES",
        Fallback::Fixed("60"),
        "An admin's session that is not refreshed for so long ends.",
    ),
    Setting::new(
        "REAUTH_MAX_AGE_SECONDS",
        Fallback::Fixed("300"),
        "Sensitive acts need a password proven within this time.",
    ),
    Setting::new(
        "JWT_ALGORITHM",
        Fallback::Derived("`EdDSA`, or `HS256` if `JWT_SECRET_KEY` is set"),
        "Signature of access tokens: `EdDSA`, `ES256`, `RS256`, or `HS256` with `JWT_SECRET_KEY`.",
    ),
    Setting::secret(
        "JWT_SECRET_KEY",
        "Shared secret for HS256, at least 32 bytes in production; better leave it out: other services then check tokens by the published keys.",
    ),
    Setting::new(
        "JWT_ISSUER",
        Fallback::Derived("`{PUBLIC_URL}`"),
        "Claim `iss` of access tokens.",
    ),
    Setting::new(
        "JWT_AUDIENCE",
        Fallback::Fixed("usher"),
        "Claim `aud` of access tokens.",
    ),
    Setting::new(
        "JWT_KEY_ROTATION_DAYS",
        Fallback::Fixed("90"),
        "Age at which a signing key gets a successor.",
    ),
];

/// Signature algorithm of access tokens (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    EdDsa,
    Es256,
    Rs256,
    Hs256,
}

impl JwtAlgorithm {
    const ALL: [(&'static str, Self); 4] = [
        ("EdDSA", Self::EdDsa),
        ("ES256", Self::Es256),
        ("RS256", Self::Rs256),
        ("HS256", Self::Hs256),
    ];

    /// The name in the `alg` header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }
}

/// Tokens and sessions.
#[derive(Debug, Clone)]
pub struct TokensConfig {
    pub access_ttl: Duration,
    pub refresh_grace: Duration,
    pub session: SessionLimits,
    pub admin_session: SessionLimits,
    pub reauth_max_age: Duration,
    pub algorithm: JwtAlgorithm,
    /// Set exactly if the algorithm is HS256.
    pub shared_secret: Option<SecretString>,
    pub issuer: String,
    pub audience: String,
    pub key_rotation: Duration,
}

impl TokensConfig {
    pub(super) fn read(reader: &mut Reader, public_origin: &str) -> Self {
        let (algorithm, shared_secret) = read_algorithm(reader);
        reader.derive("JWT_ISSUER", public_origin);
        let config = Self {
            access_ttl: reader.span("ACCESS_TOKEN_EXPIRE_MINUTES", MINUTE, 1..=1440),
            refresh_grace: reader.span("REFRESH_GRACE_SECONDS", SECOND, 0..=10),
            session: SessionLimits {
                idle: reader.span("REFRESH_TOKEN_EXPIRE_DAYS", DAY, 1..=365),
                absolute: reader.span("SESSION_ABSOLUTE_DAYS", DAY, 1..=365),
            },
            admin_session: SessionLimits {
                idle: reader.span("ADMIN_SESSION_IDLE_MINUTES", MINUTE, 1..=1440),
                absolute: reader.span("ADMIN_SESSION_ABSOLUTE_HOURS", HOUR, 1..=720),
            },
            reauth_max_age: reader.span("REAUTH_MAX_AGE_SECONDS", SECOND, 10..=86_400),
            algorithm,
            shared_secret,
            issuer: reader.text("JWT_ISSUER").unwrap_or_default(),
            audience: reader.text("JWT_AUDIENCE").unwrap_or_default(),
            key_rotation: reader.span("JWT_KEY_ROTATION_DAYS", DAY, 1..=3650),
        };
        config.check(reader);
        config
    }

    fn check(&self, reader: &mut Reader) {
        if self.session.idle > self.session.absolute {
            reader.refuse(
                "REFRESH_TOKEN_EXPIRE_DAYS",
                "must not be longer than SESSION_ABSOLUTE_DAYS",
            );
        }
        if self.admin_session.idle > self.admin_session.absolute {
            reader.refuse(
                "ADMIN_SESSION_IDLE_MINUTES",
                "must not be longer than ADMIN_SESSION_ABSOLUTE_HOURS",
            );
        }
    }
}

fn read_algorithm(reader: &mut Reader) -> (JwtAlgorithm, Option<SecretString>) {
    let secret = secrets::read_token(reader, "JWT_SECRET_KEY", 32);
    let usual = if secret.is_some() {
        JwtAlgorithm::Hs256
    } else {
        JwtAlgorithm::EdDsa
    };
    reader.derive("JWT_ALGORITHM", usual.as_str());
    let algorithm = reader
        .one_of("JWT_ALGORITHM", &JwtAlgorithm::ALL)
        .unwrap_or(usual);
    match (algorithm, &secret) {
        (JwtAlgorithm::Hs256, None) => {
            reader.refuse("JWT_ALGORITHM", "may be HS256 only with JWT_SECRET_KEY");
        }
        (JwtAlgorithm::Hs256, Some(_)) | (_, None) => {}
        (_, Some(_)) => reader.refuse(
            "JWT_SECRET_KEY",
            "must not be set when JWT_ALGORITHM is another than HS256",
        ),
    }
    (algorithm, secret)
}
