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

/// A part of the URL says what it must not.
struct Malformed;

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
        let credentials = credentials(&url).ok()?;
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
            tls: tls(&url, implicit).ok()?,
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

/// A user without a password, or the reverse, is a mistake.
fn credentials(url: &Url) -> Result<Option<(String, SecretString)>, Malformed> {
    let decode = |text| {
        percent_decode_str(text)
            .decode_utf8()
            .map_err(|_| Malformed)
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(Malformed),
        (user, Some(password)) => {
            let password = SecretString::from(decode(password)?.into_owned());
            Ok(Some((decode(user)?.into_owned(), password)))
        }
    }
}

fn tls(url: &Url, implicit: bool) -> Result<Option<SmtpTls>, Malformed> {
    let mut said = implicit.then_some(SmtpTls::Implicit);
    for (name, value) in url.query_pairs() {
        if name != "tls" || said.is_some() {
            return Err(Malformed);
        }
        said = Some(match value.as_ref() {
            "required" => SmtpTls::Required,
            "opportunistic" => SmtpTls::Opportunistic,
            "none" => SmtpTls::Off,
            _ => return Err(Malformed),
        });
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    fn settled(text: &str, production: bool) -> Result<SmtpConfig, &'static str> {
        SmtpUrl::parse(text).unwrap().settle(production)
    }

    #[test]
    fn credentials_are_decoded() {
        let smtp = settled("smtp://m%40x.io:p%2Fw+1@mail.x.io", true).unwrap();
        let (user, password) = smtp.credentials.unwrap();
        assert_eq!(user, "m@x.io");
        assert_eq!(password.expose_secret(), "p/w+1");
    }

    #[test]
    fn the_port_follows_the_protocol() {
        let port = |text| settled(text, false).unwrap().port;
        assert_eq!(port("smtp://mail.x.io"), 25);
        assert_eq!(port("smtp://u:p@mail.x.io"), 587);
        assert_eq!(port("smtps://mail.x.io"), 465);
        assert_eq!(port("smtp://u:p@mail.x.io:2525"), 2525);
    }

    #[test]
    fn production_never_sends_in_clear_beyond_this_machine() {
        let tls = |text: &str, production| settled(text, production).map(|smtp| smtp.tls);
        assert_eq!(tls("smtp://mail.x.io", false), Ok(SmtpTls::Opportunistic));
        assert_eq!(tls("smtp://mail.x.io", true), Ok(SmtpTls::Required));
        assert_eq!(tls("smtps://mail.x.io", true), Ok(SmtpTls::Implicit));
        assert!(tls("smtp://mail.x.io?tls=none", true).is_err());
        assert!(tls("smtp://mail.x.io?tls=opportunistic", true).is_err());
        assert!(tls("smtp://127.0.0.1.evil.io?tls=none", true).is_err());
        for here in ["127.0.0.1", "[::1]", "localhost"] {
            let text = format!("smtp://{here}:1025?tls=none");
            assert_eq!(tls(&text, true), Ok(SmtpTls::Off), "{here}");
            let text = format!("smtp://{here}:1025");
            assert_eq!(tls(&text, true), Ok(SmtpTls::Opportunistic), "{here}");
        }
    }

    #[test]
    fn what_would_need_guessing_is_refused() {
        for wrong in [
            "mail.x.io:25",
            "http://mail.x.io",
            "smtp://",
            "smtp://user@mail.x.io",
            "smtp://:pw@mail.x.io",
            "smtp://mail.x.io/path",
            "smtp://mail.x.io?tls=yes",
            "smtp://mail.x.io?tls=none&tls=required",
            "smtp://mail.x.io?ssl=true",
            "smtps://mail.x.io?tls=none",
            "smtp://mail.x.io#x",
        ] {
            assert!(SmtpUrl::parse(wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_panic(text in "\\PC{0,60}|smtps?://\\PC{0,60}") {
            if let Some(url) = SmtpUrl::parse(&text) {
                prop_assert!(!url.host.is_empty());
            }
        }
    }
}
