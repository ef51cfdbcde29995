//! What the HTTP frame is told by the configuration; `config` and `http` do not know each other, the wiring fills it in.

use ipnet::IpNet;
use secrecy::SecretString;
use std::time::Duration;
use url::Url;

/// Which web origins may call the API (CORS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// `*`, without credentials.
    Any,
    /// Exactly these, in their ASCII serialization; may be empty.
    Listed(Vec<String>),
}

/// Who sees the API's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Docs {
    /// Anyone.
    Public,
    /// Who may see the metrics.
    Admin,
    /// Nobody: 404.
    Off,
}

/// How the service is reached over HTTP.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    pub production: bool,
    /// The origin under which people know the service.
    pub public_url: Url,
    pub allowed_origins: Origins,
    /// Whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Opens `/metrics` and `/db/status` in production.
    pub metrics_token: Option<SecretString>,
    pub docs: Docs,
    /// What takes longer is answered with 503 `timeout`.
    pub request_timeout: Duration,
    /// Most bytes of a body, unless its route says otherwise.
    pub body_limit: usize,
}

impl HttpSettings {
    /// 64 KiB (API.md).
    pub const BODY_LIMIT: usize = 64 * 1024;

    /// Whether people reach the service by https.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}
