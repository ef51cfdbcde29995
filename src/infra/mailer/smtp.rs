//! The conversation with a mail server (RFC 5321). A connection is taken out of the idle ones for a mail and put back
//! only after the server's last reply: one that was cut off in between could mistake an old reply for a new one.

use super::{MailFault, SmtpSettings, Tls};
use crate::{domain::mail::Message, infra::clock::Clock};
use anyhow::Context as _;
use lettre::{
    Address,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        extension::{ClientId, Extension},
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// Idle connections that are kept; the courier sends a few mails at a time.
const MOST_IDLE: usize = 4;

/// Servers close after minutes (RFC 5321, 4.5.3.2); well before that we do not trust the connection any more.
const IDLE_FOR: Duration = Duration::from_secs(30);

/// Replies about our standing, not about the mail (RFC 4954): the mail must outlive a wrong password.
const ABOUT_US: [&str; 4] = ["530", "534", "535", "538"];

/// A mail server with its idle connections.
pub struct SmtpClient {
    host: String,
    port: u16,
    tls: Tls,
    tls_parameters: TlsParameters,
    credentials: Option<(String, SecretString)>,
    from: Mailbox,
    hello_name: ClientId,
    timeout: Duration,
    clock: Clock,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl SmtpClient {
    pub(super) fn new(settings: &SmtpSettings, clock: Clock) -> anyhow::Result<Self> {
        let from = settings
            .from
            .parse()
            .context("the sender is not a mailbox such as `Usher <no-reply@example.com>`")?;
        let hello_name = match &settings.hello_name {
            None => ClientId::default(),
            Some(name) if name.is_empty() || name.chars().any(|c| !c.is_ascii_graphic()) => {
                anyhow::bail!("the EHLO name is not a host name")
            }
            Some(name) => ClientId::Domain(name.clone()),
        };
        let mut tls = TlsParameters::builder(settings.host.clone());
        if let Some(pem) = &settings.ca_pem {
            let certificate =
                Certificate::from_pem(pem).context("the CA file of the mail server is not PEM")?;
            tls = tls.add_root_certificate(certificate);
        }
        Ok(Self {
            host: settings.host.clone(),
            port: settings.port,
            tls: settings.tls,
            tls_parameters: tls.build().context("TLS to the mail server")?,
            credentials: settings.credentials.clone(),
            from,
            hello_name,
            timeout: settings.timeout,
            clock,
            idle: Mutex::default(),
        })
    }

    pub(super) async fn send(&self, message: &Message, id: &str) -> Result<(), MailFault> {
        let mail = self.compose(message, id)?;
        tokio::time::timeout(self.timeout, self.deliver(&mail))
            .await
            .unwrap_or_else(|_| Err(MailFault::transient("timeout")))
    }

    /// The mail on the wire. Both parts are quoted-printable: every line is short ASCII whatever it says, and the
    /// boundary's `=_` cannot occur in them.
    fn compose(&self, message: &Message, id: &str) -> Result<lettre::Message, MailFault> {
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(MailFault::permanent("message id"));
        }
        let subject = message.subject.replace(char::is_control, " ");
        let part = |kind, text: &str| {
            SinglePart::builder()
                .header(kind)
                .header(ContentTransferEncoding::QuotedPrintable)
                .body(text.to_owned())
        };
        let body = MultiPart::alternative()
            .boundary(format!("=_{id}"))
            .singlepart(part(ContentType::TEXT_PLAIN, &message.text))
            .singlepart(part(ContentType::TEXT_HTML, &message.html));
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, recipient(message)?))
            .subject(subject)
            .date(SystemTime::from(self.clock.now()))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(body)
            .map_err(|_| MailFault::permanent("composition"))
    }

    async fn deliver(&self, mail: &lettre::Message) -> Result<(), MailFault> {
        let mut connection = match self.take_idle().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        connection
            .send(mail.envelope(), &mail.formatted())
            .await
            .map_err(|error| refusal(&error))?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push((connection, Instant::now()));
        }
        Ok(())
    }

    /// An idle connection that still answers; the others are closed by being dropped.
    async fn take_idle(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = self
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop()?;
            if since.elapsed() < IDLE_FOR && connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, MailFault> {
        let implicit = (self.tls == Tls::Implicit).then(|| self.tls_parameters.clone());
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            (self.host.as_str(), self.port),
            Some(self.timeout),
            &self.hello_name,
            implicit,
            None,
        )
        .await
        .map_err(|error| trouble(&error, "connection"))?;
        self.protect(&mut connection).await?;
        if let Some((user, password)) = &self.credentials {
            let password = password.expose_secret().to_owned();
            connection
                .auth(
                    DEFAULT_MECHANISMS,
                    &Credentials::new(user.clone(), password),
                )
                .await
                .map_err(|error| trouble(&error, "authentication"))?;
        }
        Ok(connection)
    }

    async fn protect(&self, connection: &mut AsyncSmtpConnection) -> Result<(), MailFault> {
        if matches!(self.tls, Tls::None | Tls::Implicit) {
            return Ok(());
        }
        if connection
            .server_info()
            .supports_feature(Extension::StartTls)
        {
            return connection
                .starttls(self.tls_parameters.clone(), &self.hello_name)
                .await
                .map_err(|error| trouble(&error, "TLS"));
        }
        // Whoever strips the offer must not get the password for it.
        let exposed = self.credentials.is_some() && !is_loopback(&self.host);
        if self.tls == Tls::Required || exposed {
            return Err(MailFault::transient("STARTTLS not offered"));
        }
        Ok(())
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The address with its domain in ASCII, which servers without SMTPUTF8 need.
fn recipient(message: &Message) -> Result<Address, MailFault> {
    let refused = || MailFault::permanent("recipient");
    let email = message.recipient().ok_or_else(refused)?;
    let (local, domain) = email.as_str().rsplit_once('@').ok_or_else(refused)?;
    let domain = idna::domain_to_ascii(domain).map_err(|_| refused())?;
    if local.chars().any(char::is_control) {
        return Err(refused());
    }
    Address::new(local, domain).map_err(|_| refused())
}

/// Trouble before the mail was spoken of is never the mail's fault.
fn trouble(error: &SmtpError, class: &str) -> MailFault {
    match error.status() {
        Some(code) => MailFault::Transient(format!("{class}: reply {code}")),
        None => MailFault::transient(class),
    }
}

fn refusal(error: &SmtpError) -> MailFault {
    let Some(code) = error.status().map(|code| code.to_string()) else {
        // All but the address is ASCII, so an extension that is missing is missing for the address.
        return if error.is_client() {
            MailFault::permanent("SMTPUTF8 not offered")
        } else {
            MailFault::transient("connection lost")
        };
    };
    if error.is_permanent() && !ABOUT_US.contains(&code.as_str()) {
        MailFault::Permanent(format!("reply {code}"))
    } else {
        MailFault::Transient(format!("reply {code}"))
    }
}
