//! Requests to addresses that people chose. What is dialled is judged, not what was written: names are looked up here and
//! each address must be public; no redirect is followed, no proxy of the environment taken, no cookie kept. What fails
//! says only a class, because an address may hold a token.

mod resolver;

pub use resolver::{Resolver, Table};

use crate::domain::public_address::is_public;
use anyhow::Context as _;
use reqwest::{Client, Response, header, redirect, retry};
use resolver::{Judged, NameFault};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{error::Error as StdError, io, net::IpAddr, sync::Arc, time::Duration};
use url::{Host, Url};

/// The longest wait for a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the one who writes an address down waits for its look-up: well below the least time that a request has.
const LOOK_UP_TIMEOUT: Duration = Duration::from_millis(500);
/// A connection is kept for so long for the next request.
const KEEP: Duration = Duration::from_secs(30);
/// No more than so much of an answer is read, so that the connection can be used again.
const MOST_READ: usize = 64 * 1024;

/// How requests leave.
pub struct OutboundSettings {
    /// Whether addresses of private networks, and clear text, are allowed.
    pub allow_private: bool,
    /// For everything from the look-up to the end of the answer.
    pub timeout: Duration,
    /// A further authority that certificates may come from.
    pub ca_pem: Option<Vec<u8>>,
    pub resolver: Resolver,
}

/// Why no answer came; the words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundFault {
    /// An address that was to be dialled is not public.
    PrivateAddress,
    /// The name has no address.
    UnknownHost,
    Timeout,
    Tls,
    Connection,
}

impl OutboundFault {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PrivateAddress => "private_address",
            Self::UnknownHost => "unknown_host",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::Connection => "connection",
        }
    }
}

/// Sends requests to addresses that people chose; cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    resolver: Resolver,
    allow_private: bool,
}

impl Outbound {
    /// Reads the authorities; nothing is connected yet.
    pub fn new(settings: OutboundSettings) -> anyhow::Result<Self> {
        let OutboundSettings {
            allow_private,
            resolver,
            ..
        } = settings;
        let judged = Judged {
            resolver: resolver.clone(),
            allow_private,
        };
        let client = Client::builder()
            .tls_backend_preconfigured(tls(settings.ca_pem.as_deref())?)
            .dns_resolver(Arc::new(judged))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(settings.timeout)
            .pool_idle_timeout(KEEP)
            .pool_max_idle_per_host(4)
            .user_agent("Usher")
            .build()
            .context("requests cannot be made ready")?;
        Ok(Self {
            client,
            resolver,
            allow_private,
        })
    }

    /// Whether addresses of private networks are allowed.
    pub fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// Whether one of the addresses that this one stands for at present is not public; one that cannot be looked up at
    /// once is given the benefit of the doubt, since what is dialled is judged again.
    pub async fn leads_inside(&self, url: &Url) -> bool {
        if self.allow_private {
            return false;
        }
        match url.host() {
            Some(Host::Domain(name)) => {
                let look_up = self.resolver.look_up(name);
                let found = tokio::time::timeout(LOOK_UP_TIMEOUT, look_up).await;
                found.is_ok_and(|found| found.iter().any(|address| !is_public(*address)))
            }
            _ => literal(url).is_none_or(|address| !is_public(address)),
        }
    }

    /// Posts JSON of this media type; the status of the answer, which is not kept.
    pub async fn post(
        &self,
        url: &Url,
        media_type: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> Result<u16, OutboundFault> {
        // A literal is dialled without being looked up.
        let is_inside = literal(url).is_some_and(|address| !is_public(address));
        if is_inside && !self.allow_private {
            return Err(OutboundFault::PrivateAddress);
        }
        let mut request = self.client.post(url.clone());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.header(header::CONTENT_TYPE, media_type).body(body);
        let answer = request.send().await.map_err(|error| fault(&error))?;
        let status = answer.status().as_u16();
        drain(answer).await;
        Ok(status)
    }
}

/// Reads a little of what is left; whatever goes wrong there, the answer has come.
async fn drain(mut answer: Response) {
    let mut read = 0;
    while read < MOST_READ {
        match answer.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) | Err(_) => return,
        }
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

fn tls(ca_pem: Option<&[u8]>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for certificate in CertificateDer::pem_slice_iter(ca_pem.unwrap_or_default()) {
        roots.add(certificate.context("this is no certificate in PEM")?)?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn fault(error: &reqwest::Error) -> OutboundFault {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(fault) = error.downcast_ref::<NameFault>() {
            return match fault {
                NameFault::Private => OutboundFault::PrivateAddress,
                NameFault::Unknown => OutboundFault::UnknownHost,
            };
        }
        if is_of_tls(error) {
            return OutboundFault::Tls;
        }
        cause = error.source();
    }
    if error.is_timeout() {
        return OutboundFault::Timeout;
    }
    OutboundFault::Connection
}

/// The error of TLS hides inside those of input and output, which do not name it as their source.
fn is_of_tls(error: &(dyn StdError + 'static)) -> bool {
    let inner = error.downcast_ref::<io::Error>();
    let inner = inner.and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || inner.is_some_and(|inner| is_of_tls(inner))
}
