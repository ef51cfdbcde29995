//! A mail server on a loopback socket (RFC 5321) that keeps what it is told and fails as it is told. Every connection sees
//! a new behaviour at its next step; a fault is counted down by the mails that it hits.

mod session;

use rcgen::{CertificateParams, KeyPair};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer},
};

/// Where TLS comes in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protection {
    /// Not offered, as when somebody on the way strips the offer.
    #[default]
    None,
    StartTls,
    Implicit,
}

/// A step of the conversation that can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Mail,
    Rcpt,
    Data,
    /// After the last line of the mail.
    Body,
}

/// What goes wrong with the next mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This reply (`451 try later`) at this stage.
    Refuse(Stage, &'static str),
    /// The connection breaks in the middle of the mail.
    BreakInBody,
    /// The mail is taken, and the connection breaks before the reply says so.
    BreakAfterBody,
}

/// How the server behaves.
#[derive(Debug, Clone, Default)]
pub struct Behaviour {
    pub protection: Protection,
    /// User and password; without them no mail is taken.
    pub login: Option<(String, String)>,
    /// Such as `LOGIN`; `PLAIN LOGIN` when empty.
    pub mechanisms: &'static str,
    /// Nobody listens, and open connections end.
    pub down: bool,
    /// No reply until a behaviour without it is set.
    pub silent: bool,
    /// The fault, and how many mails it hits.
    pub fault: Option<(Fault, usize)>,
}

/// A mail that the server has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body with CRLF, dots unstuffed.
    pub data: String,
    pub over_tls: bool,
    pub user: Option<String>,
}

#[derive(Default)]
struct Record {
    messages: Vec<Received>,
    transcript: Vec<String>,
}

/// What all connections share.
struct Shared {
    behaviour: watch::Sender<Behaviour>,
    record: Mutex<Record>,
    acceptor: TlsAcceptor,
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one hit of the fault that `hits` recognises off the count.
    fn strike<T>(&self, hits: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let mut hit = None;
        self.behaviour.send_if_modified(|behaviour| {
            if let Some((fault, left)) = &mut behaviour.fault
                && *left > 0
                && let Some(found) = hits(fault)
            {
                *left -= 1;
                hit = Some(found);
            }
            false
        });
        hit
    }
}

/// The running server; it ends with this handle.
pub struct SmtpServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    listening: tokio::sync::Mutex<Option<JoinHandle<()>>>,
    ca_pem: String,
}

impl SmtpServer {
    /// Listens on a free port of 127.0.0.1, unless the behaviour is to be down.
    pub async fn start(behaviour: Behaviour) -> Self {
        let (acceptor, ca_pem) = certified();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::new(Shared {
                behaviour: watch::Sender::new(Behaviour::default()),
                record: Mutex::default(),
                acceptor,
            }),
            listening: tokio::sync::Mutex::default(),
            ca_pem,
        };
        drop(listener);
        server.set(behaviour).await;
        server
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The certificate to trust, which names `localhost` and `127.0.0.1`.
    pub fn ca_pem(&self) -> Vec<u8> {
        self.ca_pem.clone().into_bytes()
    }

    /// What was taken, in order.
    pub fn messages(&self) -> Vec<Received> {
        self.shared.record().messages.clone()
    }

    /// All lines of all connections: `C: ` from the client, `D: ` from it within a mail, `S: ` from the server.
    pub fn transcript(&self) -> Vec<String> {
        self.shared.record().transcript.clone()
    }

    /// From now on, also on open connections. After it, nobody listens any more or somebody does again.
    pub async fn set(&self, behaviour: Behaviour) {
        let down = behaviour.down;
        self.shared.behaviour.send_replace(behaviour);
        let mut listening = self.listening.lock().await;
        match listening.take_if(|_| down) {
            Some(task) => {
                task.abort();
                // The socket is closed once the task is gone.
                task.await.unwrap_err();
            }
            None if !down && listening.is_none() => {
                let listener = TcpListener::bind(self.address).await.unwrap();
                *listening = Some(tokio::spawn(listen(listener, Arc::clone(&self.shared))));
            }
            None => {}
        }
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.shared
            .behaviour
            .send_modify(|behaviour| behaviour.down = true);
        if let Some(task) = self.listening.get_mut() {
            task.abort();
        }
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        tokio::spawn(session::serve(socket, Arc::clone(&shared)));
    }
}

/// A certificate for `localhost` and `127.0.0.1`, which is its own authority.
pub fn certified() -> (TlsAcceptor, String) {
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate.pem())
}
