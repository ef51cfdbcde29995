//! The front doors: where to listen, under which address people know the service, whom to trust.

use super::{
    reader::{Reader, items, parse_web_url},
    secrets,
    setting::{Fallback, Setting},
};
use ipnet::IpNet;
use secrecy::SecretString;
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use url::Url;

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "LISTEN",
        Fallback::Fixed("127.0.0.1:8001"),
        "Address and port to serve on.",
    ),
    Setting::new(
        "ADMIN_LISTEN",
        Fallback::Unset,
        "Separate address and port for `/metrics` and `/db/status` without a token.",
    ),
    Setting::new(
        "PUBLIC_URL",
        Fallback::Derived("`http://{LISTEN}` in development"),
        "Origin under which people reach the service; all mailed links begin with it. Production needs it, with https.",
    ),
    Setting::new(
        "ALLOWED_ORIGINS",
        Fallback::Derived("`*` in development, `none` in production"),
        "Origins of the web front ends that may call the API, separated by commas; `*` in development only, or `none`.",
    ),
    Setting::new(
        "TRUSTED_PROXIES",
        Fallback::Unset,
        "Addresses or networks (CIDR), separated by commas, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.",
    ),
    Setting::new(
        "TLS_CERT",
        Fallback::Unset,
        "PEM file with the certificate chain, to serve HTTPS directly; needs `TLS_KEY`.",
    ),
    Setting::new(
        "TLS_KEY",
        Fallback::Unset,
        "PEM file with the private key of `TLS_CERT`.",
    ),
    Setting::new(
        "REQUEST_TIMEOUT_SECONDS",
        Fallback::Fixed("5"),
        "A request that takes longer is answered with 503; pictures and exports have a minute.",
    ),
    Setting::new(
        "SHUTDOWN_TIMEOUT_SECONDS",
        Fallback::Fixed("10"),
        "How long a stopping node lets running requests finish.",
    ),
    Setting::new(
        "DRAIN_SECONDS",
        Fallback::Derived("`2` in production, `0` in development"),
        "How long a stopping node still takes requests while `/readyz` already says 503, so that balancers notice; a part of `SHUTDOWN_TIMEOUT_SECONDS`.",
    ),
    Setting::secret(
        "METRICS_TOKEN",
        "Bearer token for `/metrics` and `/db/status` in production, at least 32 bytes there.",
    ),
    Setting::new(
        "DOCS",
        Fallback::Fixed("public"),
        "Who sees `/docs`, `/redoc` and the OpenAPI document: `public`, `admin` or `off`.",
    ),
];

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
    Public,
    Admin,
    Off,
}

/// PEM files for serving HTTPS directly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// How the service is reached.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    pub listen: SocketAddr,
    pub admin_listen: Option<SocketAddr>,
    /// An origin: no path, query or fragment.
    pub public_url: Url,
    pub allowed_origins: Origins,
    pub trusted_proxies: Vec<IpNet>,
    pub tls: Option<TlsFiles>,
    pub request_timeout: Duration,
    pub shutdown_timeout: Duration,
    /// Less than `shutdown_timeout`, or nothing.
    pub drain: Duration,
    pub metrics_token: Option<SecretString>,
    pub docs: Docs,
}

impl HttpConfig {
    /// `None` if `PUBLIC_URL` is refused, for which there is no stand-in.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let listen =
            read_address(reader, "LISTEN").unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8001)));
        let admin_listen = read_address(reader, "ADMIN_LISTEN");
        if admin_listen == Some(listen) && listen.port() != 0 {
            reader.refuse("ADMIN_LISTEN", "must differ from LISTEN");
        }
        let tls = read_tls(reader);
        let public_url = read_public_url(reader, listen, tls.is_some());
        let shutdown_timeout = reader.span("SHUTDOWN_TIMEOUT_SECONDS", 1, 0..=600);
        let docs = [
            ("public", Docs::Public),
            ("admin", Docs::Admin),
            ("off", Docs::Off),
        ];
        Some(Self {
            listen,
            admin_listen,
            allowed_origins: read_origins(reader),
            trusted_proxies: read_proxies(reader),
            tls,
            request_timeout: reader.span("REQUEST_TIMEOUT_SECONDS", 1, 1..=600),
            shutdown_timeout,
            drain: read_drain(reader, shutdown_timeout),
            metrics_token: secrets::read_token(reader, "METRICS_TOKEN", 32),
            docs: reader.one_of("DOCS", &docs).unwrap_or(Docs::Off),
            public_url: public_url?,
        })
    }

    /// `PUBLIC_URL` without a slash at its end: what links begin with.
    pub fn public_origin(&self) -> String {
        self.public_url.origin().ascii_serialization()
    }
}

fn read_address(reader: &mut Reader, name: &'static str) -> Option<SocketAddr> {
    reader.parsed(
        name,
        "an address and port such as 127.0.0.1:8001 or [::]:8001",
        |text| {
            let text = text
                .strip_prefix("localhost:")
                .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
            text.parse().ok()
        },
    )
}

fn read_drain(reader: &mut Reader, whole: Duration) -> Duration {
    let usual = if reader.is_production() { 2 } else { 0 };
    let usual = whole.as_secs().saturating_sub(1).min(usual);
    reader.derive("DRAIN_SECONDS", &usual.to_string());
    let drain = reader.span("DRAIN_SECONDS", 1, 0..=600);
    if !drain.is_zero() && drain >= whole {
        reader.refuse(
            "DRAIN_SECONDS",
            "must be less than SHUTDOWN_TIMEOUT_SECONDS",
        );
    }
    drain
}

fn read_tls(reader: &mut Reader) -> Option<TlsFiles> {
    match (reader.text("TLS_CERT"), reader.text("TLS_KEY")) {
        (Some(cert), Some(key)) => Some(TlsFiles {
            cert: cert.into(),
            key: key.into(),
        }),
        (Some(_), None) => {
            reader.refuse("TLS_KEY", "must be set when TLS_CERT is");
            None
        }
        (None, Some(_)) => {
            reader.refuse("TLS_CERT", "must be set when TLS_KEY is");
            None
        }
        (None, None) => None,
    }
}

fn read_public_url(reader: &mut Reader, listen: SocketAddr, tls: bool) -> Option<Url> {
    let scheme = if tls { "https" } else { "http" };
    let local = if listen.ip().is_unspecified() {
        format!("{scheme}://localhost:{}", listen.port())
    } else {
        format!("{scheme}://{listen}")
    };
    if reader.raw("PUBLIC_URL").is_none() {
        if reader.is_production() {
            reader.refuse("PUBLIC_URL", "must be set in production");
            return None;
        }
        reader.derive("PUBLIC_URL", &local);
    }
    let url = reader.web_url("PUBLIC_URL")?;
    if url.path() != "/" || url.query().is_some() {
        reader.refuse("PUBLIC_URL", "must have no path and no query");
    }
    Some(url)
}

fn read_origins(reader: &mut Reader) -> Origins {
    if reader.raw("ALLOWED_ORIGINS").is_none() {
        let value = if reader.is_production() { "none" } else { "*" };
        reader.derive("ALLOWED_ORIGINS", value);
    }
    let origins = reader
        .parsed(
            "ALLOWED_ORIGINS",
            "origins such as https://app.example.com separated by commas, or *, or none",
            parse_origins,
        )
        .unwrap_or(Origins::Listed(Vec::new()));
    if origins == Origins::Any && reader.is_production() {
        reader.refuse(
            "ALLOWED_ORIGINS",
            "must name the origins in production, not *",
        );
    }
    origins
}

fn parse_origins(text: &str) -> Option<Origins> {
    match text {
        "*" => Some(Origins::Any),
        "none" => Some(Origins::Listed(Vec::new())),
        _ => items(text)
            .map(parse_origin)
            .collect::<Option<_>>()
            .map(Origins::Listed),
    }
}

fn parse_origin(text: &str) -> Option<String> {
    let url = parse_web_url(text)?;
    let bare = url.path() == "/" && url.query().is_none();
    bare.then(|| url.origin().ascii_serialization())
}

fn read_proxies(reader: &mut Reader) -> Vec<IpNet> {
    reader
        .parsed(
            "TRUSTED_PROXIES",
            "addresses or networks such as 10.0.0.0/8 separated by commas",
            |text| items(text).map(parse_network).collect(),
        )
        .unwrap_or_default()
}

fn parse_network(text: &str) -> Option<IpNet> {
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
