//! The mail server's URL: `smtp://user:password@host:25?tls=required|opportunistic|none`, `smtps://host:465`.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::{Host, Url};

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (`smtps`).
    Implicit,
    /// STARTTLS, or no mail.
    Required,
    /// STARTTLS where it is offered.
    Opportunistic,
    /// In clear.
    Off,
}

/// A mail server and how to reach it.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub credentials: Option<(String, SecretString)>,
}

/// What a URL says; `tls` is open where it says nothing.
pub(super) struct SmtpUrl {
    host: String,
    port: u16,
    credentials: Option<(String, SecretString)>,
    loopback: bool,
    tls: Option<SmtpTls>,
}

impl SmtpUrl {
    /// Reads it; `None` for anything that it would have to guess at.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return None,
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return None;
        }
        let (host, loopback) = host(&url)?;
        let credentials = credentials(&url)?;
        let usual = match (implicit, &credentials) {
            (true, _) => 465,
            (false, Some(_)) => 587,
            (false, None) => 25,
        };
        Some(Self {
            host,
            port: url.port().unwrap_or(usual),
            credentials,
            loopback,
            tls: tls(&url, implicit)?,
        })
    }

    /// Decides on TLS; in production a connection beyond this machine is never in clear.
    pub(super) fn settle(self, production: bool) -> Result<SmtpConfig, &'static str> {
        let strict = production && !self.loopback;
        let tls = self.tls.unwrap_or(if strict {
            SmtpTls::Required
        } else {
            SmtpTls::Opportunistic
        });
        if strict && matches!(tls, SmtpTls::Opportunistic | SmtpTls::Off) {
            return Err("must have tls=required in production, except on a loopback address");
        }
        Ok(SmtpConfig {
            host: self.host,
            port: self.port,
            tls,
            credentials: self.credentials,
        })
    }
}

/// The host and whether it is this machine. The scheme is not one of the web's, so a host may still be an address in text.
fn host(url: &Url) -> Option<(String, bool)> {
    match Host::parse(url.host_str()?).ok()? {
        Host::Domain(name) => {
            let loopback = name == "localhost";
            Some((name, loopback))
        }
        Host::Ipv4(address) => Some((address.to_string(), address.is_loopback())),
        Host::Ipv6(address) => Some((address.to_string(), address.is_loopback())),
    }
}

/// `Some(None)` without any; a user without password, or the reverse, is a mistake.
fn credentials(url: &Url) -> Option<Option<(String, SecretString)>> {
    match (url.username(), url.password()) {
        ("", None) => Some(None),
        ("", Some(_)) | (_, None) => None,
        (user, Some(password)) => {
            let user = percent_decode_str(user).decode_utf8().ok()?;
            let password = percent_decode_str(password).decode_utf8().ok()?;
            Some(Some((
                user.into_owned(),
                SecretString::from(password.into_owned()),
            )))
        }
    }
}

fn tls(url: &Url, implicit: bool) -> Option<Option<SmtpTls>> {
    let mut said = implicit.then_some(SmtpTls::Implicit);
    for (name, value) in url.query_pairs() {
        if name != "tls" || said.is_some() {
            return None;
        }
        said = Some(match value.as_ref() {
            "required" => SmtpTls::Required,
            "opportunistic" => SmtpTls::Opportunistic,
            "none" => SmtpTls::Off,
            _ => return None,
        });
    }
    Some(said)
}
