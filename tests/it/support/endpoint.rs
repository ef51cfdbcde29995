//! A receiver of webhooks on a loopback socket: it keeps what it is told, answers as it is told, and checks signatures by
//! the text of Standard Webhooks 1.0 and not by the service's own code.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// How a message is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    /// 302 to there.
    Redirect(String),
    /// 200 and a body that never ends.
    Endless,
    /// Never.
    Silent,
}

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Message {
    pub head: String,
    pub body: String,
}

impl Message {
    /// A header field; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut fields = fields.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        fields.next().map_or("", |(_, value)| value)
    }

    /// The event in it.
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether one of its signatures was made with this secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key.unwrap());
        let [id, at] = ["webhook-id", "webhook-timestamp"].map(|name| self.header(name));
        let signed = format!("{id}.{at}.{}", self.body);
        let mut signatures = self.header("webhook-signature").split(' ');
        signatures.any(|signature| {
            let tag = STANDARD.decode(signature.strip_prefix("v1,").unwrap());
            hmac::verify(&key, signed.as_bytes(), &tag.unwrap()).is_ok()
        })
    }
}

struct Shared {
    answer: Mutex<Answer>,
    messages: watch::Sender<Vec<Message>>,
    connections: watch::Sender<usize>,
}

/// The running receiver; it ends with this handle.
pub struct Endpoint {
    shared: Arc<Shared>,
    address: SocketAddr,
    listening: JoinHandle<()>,
}

impl Endpoint {
    /// Answers 200 until told otherwise.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// The same behind TLS.
    pub async fn start_with(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            answer: Mutex::new(Answer::Status(200)),
            messages: watch::Sender::default(),
            connections: watch::Sender::default(),
        });
        let listening = tokio::spawn(listen(listener, tls, Arc::clone(&shared)));
        Self {
            shared,
            address,
            listening,
        }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where it listens, in clear, with what looks like a token.
    pub fn url(&self) -> String {
        format!("http://{}/in?token=receivers-token", self.address)
    }

    /// From now on.
    pub fn set(&self, answer: Answer) {
        *guard(&self.shared.answer) = answer;
    }

    /// What came, in order.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.messages.borrow().clone()
    }

    /// The ids of what came, in order.
    pub fn ids(&self) -> Vec<String> {
        let id = |message: &Message| message.header("webhook-id").to_owned();
        self.messages().iter().map(id).collect()
    }

    /// The types of what came, in order.
    pub fn types(&self) -> Vec<String> {
        let kind = |message: &Message| message.event()["type"].as_str().unwrap().to_owned();
        self.messages().iter().map(kind).collect()
    }

    /// Waits until so many messages have come.
    pub async fn wait_for(&self, count: usize) {
        let mut messages = self.shared.messages.subscribe();
        let enough = messages.wait_for(|messages| messages.len() >= count);
        enough.await.unwrap();
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        *self.shared.connections.borrow()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn guard<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        shared.connections.send_modify(|count| *count += 1);
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match tls {
                None => serve(socket, &shared).await,
                Some(tls) => {
                    if let Ok(socket) = tls.accept(socket).await {
                        serve(socket, &shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(mut socket: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) {
    while let Some(message) = read(&mut socket).await {
        shared
            .messages
            .send_modify(|messages| messages.push(message));
        let answer = guard(&shared.answer).clone();
        let head = match &answer {
            Answer::Status(status) => {
                format!("HTTP/1.1 {status} Told\r\ncontent-length: 0\r\n\r\n")
            }
            Answer::Redirect(to) => {
                format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
            }
            Answer::Endless => "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_owned(),
            Answer::Silent => std::future::pending().await,
        };
        if socket.write_all(head.as_bytes()).await.is_err() {
            return;
        }
        if answer == Answer::Endless {
            while socket.write_all(&[b'x'; 4096]).await.is_ok() {}
            return;
        }
    }
}

async fn read(socket: &mut (impl AsyncRead + Unpin)) -> Option<Message> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let message = Message {
                head: head.to_owned(),
                body: body.to_owned(),
            };
            let length: usize = message.header("content-length").parse().unwrap();
            if message.body.len() == length {
                return Some(message);
            }
        }
        let mut chunk = [0; 4096];
        match socket.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}
