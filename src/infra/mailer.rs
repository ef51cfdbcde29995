//! The ways a mail can leave: a mail server, the built-in mailbox, or a list in tests. What fails says only a reply
//! code or a class, because addresses and links must not reach a log.

mod smtp;

use self::smtp::SmtpClient;
use super::clock::Clock;
use crate::domain::mail::Message;
use secrecy::SecretString;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Where mails go.
#[derive(Clone)]
pub enum Mailer {
    /// To a mail server.
    Smtp(Arc<SmtpClient>),
    /// Nowhere: the outbox keeps them, and the mailbox page shows them.
    Mailbox,
    /// Nowhere: another service sends them, told by the events.
    Events,
    /// Into a list that tests read, in the order of the mails' ids: mails of one batch are sent in any order.
    Memory(Arc<Mutex<BTreeMap<String, Message>>>),
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS (RFC 3207), or no mail.
    Required,
    /// STARTTLS where offered; then the certificate must be right as well.
    Opportunistic,
    /// Never.
    None,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// Which mail server, and how to speak to it.
#[derive(Clone)]
pub struct SmtpSettings {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Protection of the connection.
    pub tls: Tls,
    /// User and password.
    pub credentials: Option<(String, SecretString)>,
    /// The sender as a mailbox: `Usher <no-reply@example.com>`.
    pub from: String,
    /// The name in EHLO; the machine's own when absent.
    pub hello_name: Option<String>,
    /// For one mail from connecting to the last reply.
    pub timeout: Duration,
    /// Certificates (PEM) to trust beside the public ones.
    pub ca_pem: Option<Vec<u8>>,
}

impl fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Why a mail did not go. The text is a reply code or a class of trouble, never an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailFault {
    /// Worth another try: 4xx, the network, TLS, or the server refusing us rather than the mail.
    #[error("transient: {0}")]
    Transient(String),
    /// Hopeless for this mail: 5xx, or an address that cannot be sent to.
    #[error("permanent: {0}")]
    Permanent(String),
}

impl MailFault {
    fn transient(class: &str) -> Self {
        Self::Transient(class.to_owned())
    }

    fn permanent(class: &str) -> Self {
        Self::Permanent(class.to_owned())
    }
}

impl Mailer {
    /// Checks the settings; connects only with the first mail.
    pub fn smtp(settings: &SmtpSettings, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self::Smtp(Arc::new(SmtpClient::new(settings, clock)?)))
    }

    /// A list that fills up.
    pub fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// Hands a mail over; `Ok` means that the other side has taken responsibility for it. `message_id` is the mail's
    /// own and the same at each try, so that receivers can drop a duplicate.
    pub async fn send(&self, message: &Message, message_id: &str) -> Result<(), MailFault> {
        match self {
            Self::Smtp(client) => client.send(message, message_id).await,
            Self::Mailbox | Self::Events => Ok(()),
            Self::Memory(list) => {
                list.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(message_id.to_owned(), message.clone());
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smtp(_) => "Mailer::Smtp",
            Self::Mailbox => "Mailer::Mailbox",
            Self::Events => "Mailer::Events",
            Self::Memory(_) => "Mailer::Memory",
        })
    }
}
