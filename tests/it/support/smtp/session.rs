//! One connection of the mail server for tests: the commands and their order.

use super::{Behaviour, Fault, Protection, Received, Shared, Stage};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{io, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    sync::watch,
};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Serves until the client leaves, a fault ends it, or the server goes down.
pub(super) async fn serve(socket: TcpStream, shared: Arc<Shared>) {
    let mut behaviour = shared.behaviour.subscribe();
    let down = async move {
        let _ = behaviour.wait_for(|behaviour| behaviour.down).await;
    };
    tokio::select! {
        _ = converse(socket, shared) => {}
        () = down => {}
    }
}

async fn converse(socket: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let implicit = shared.behaviour.borrow().protection == Protection::Implicit;
    let stream: Box<dyn Stream> = if implicit {
        Box::new(shared.acceptor.accept(socket).await?)
    } else {
        Box::new(socket)
    };
    let mut session = Session {
        stream: BufReader::new(stream),
        behaviour: shared.behaviour.subscribe(),
        shared,
        over_tls: implicit,
        user: None,
        from: String::new(),
        to: Vec::new(),
    };
    session.reply_at(Stage::Greeting, "220 test ESMTP").await?;
    while let Some(line) = session.line('C').await? {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => session.greet().await?,
            "STARTTLS" if session.offers_starttls() => {
                session.reply("220 go ahead").await?;
                session = session.upgrade().await?;
            }
            "AUTH" => session.authenticate(rest).await?,
            "MAIL" => session.mail(rest).await?,
            "RCPT" => session.rcpt(rest).await?,
            "DATA" if !session.to.is_empty() => session.data().await?,
            "RSET" => {
                session.to.clear();
                session.reply("250 ok").await?;
            }
            "NOOP" => session.reply("250 ok").await?,
            "QUIT" => return session.reply("221 bye").await,
            _ => session.reply("503 not now").await?,
        }
    }
    Ok(())
}

struct Session {
    stream: BufReader<Box<dyn Stream>>,
    behaviour: watch::Receiver<Behaviour>,
    shared: Arc<Shared>,
    over_tls: bool,
    user: Option<String>,
    from: String,
    to: Vec<String>,
}

impl Session {
    /// The next line without its end; `None` when the client has left.
    async fn line(&mut self, mark: char) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        self.note(mark, &line);
        Ok(Some(line))
    }

    fn note(&self, mark: char, line: &str) {
        let line = format!("{mark}: {line}");
        self.shared.record().transcript.push(line);
    }

    async fn reply(&mut self, text: &str) -> io::Result<()> {
        let heard = self.behaviour.wait_for(|behaviour| !behaviour.silent);
        heard.await.map_err(io::Error::other)?;
        for line in text.lines() {
            self.note('S', line);
        }
        let text = text.replace('\n', "\r\n") + "\r\n";
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await
    }

    /// Replies, or refuses if the fault is for this stage; says whether it went well.
    async fn reply_at(&mut self, stage: Stage, text: &str) -> io::Result<bool> {
        let refusal = self.shared.strike(|fault| match fault {
            Fault::Refuse(at, reply) if *at == stage => Some(*reply),
            _ => None,
        });
        self.reply(refusal.unwrap_or(text)).await?;
        Ok(refusal.is_none())
    }

    fn offers_starttls(&self) -> bool {
        !self.over_tls && self.behaviour.borrow().protection == Protection::StartTls
    }

    async fn greet(&mut self) -> io::Result<()> {
        let mut text = "250-test".to_owned();
        if self.offers_starttls() {
            text += "\n250-STARTTLS";
        }
        let (login, mechanisms) = {
            let behaviour = self.behaviour.borrow();
            (behaviour.login.is_some(), behaviour.mechanisms)
        };
        if login {
            let mechanisms = if mechanisms.is_empty() {
                "PLAIN LOGIN"
            } else {
                mechanisms
            };
            text = format!("{text}\n250-AUTH {mechanisms}");
        }
        self.reply(&(text + "\n250 8BITMIME")).await
    }

    async fn upgrade(self) -> io::Result<Self> {
        let stream = self.shared.acceptor.accept(self.stream.into_inner());
        Ok(Self {
            stream: BufReader::new(Box::new(stream.await?)),
            over_tls: true,
            ..self
        })
    }

    async fn authenticate(&mut self, rest: &str) -> io::Result<()> {
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let given = if mechanism == "PLAIN" {
            let text = self.answer("334 ", first).await?;
            let mut parts = text.split('\0').skip(1).map(str::to_owned);
            parts.next().zip(parts.next())
        } else {
            let user = self.answer("334 VXNlcm5hbWU6", first).await?;
            Some((user, self.answer("334 UGFzc3dvcmQ6", "").await?))
        };
        let right = given.is_some() && given == self.behaviour.borrow().login;
        if right {
            self.user = given.map(|(user, _)| user);
            self.reply("235 welcome").await
        } else {
            self.reply("535 wrong user or password").await
        }
    }

    /// What the client says to a challenge (or has said already), decoded.
    async fn answer(&mut self, challenge: &str, said: &str) -> io::Result<String> {
        let said = if said.is_empty() {
            self.reply(challenge).await?;
            self.line('C').await?.unwrap_or_default()
        } else {
            said.to_owned()
        };
        let bytes = STANDARD.decode(said).map_err(io::Error::other)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        if self.behaviour.borrow().login.is_some() && self.user.is_none() {
            return self.reply("530 authentication required").await;
        }
        self.to.clear();
        self.from = path(rest);
        self.reply_at(Stage::Mail, "250 ok").await.map(drop)
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<()> {
        if self.reply_at(Stage::Rcpt, "250 ok").await? {
            self.to.push(path(rest));
        }
        Ok(())
    }

    async fn data(&mut self) -> io::Result<()> {
        if !self.reply_at(Stage::Data, "354 go on").await? {
            return Ok(());
        }
        let breaks = |fault: &Fault| (*fault == Fault::BreakInBody).then_some(());
        if self.shared.strike(breaks).is_some() {
            self.line('D').await?;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let mut data = String::new();
        loop {
            let line = self.line('D').await?;
            let line = line.ok_or(io::ErrorKind::UnexpectedEof)?;
            if line == "." {
                break;
            }
            data += line.strip_prefix('.').unwrap_or(&line);
            data += "\r\n";
        }
        let refused = matches!(
            self.behaviour.borrow().fault,
            Some((Fault::Refuse(Stage::Body, _), 1..))
        );
        if !refused {
            let received = Received {
                from: self.from.clone(),
                to: std::mem::take(&mut self.to),
                data,
                over_tls: self.over_tls,
                user: self.user.clone(),
            };
            self.shared.record().messages.push(received);
        }
        let breaks = |fault: &Fault| (*fault == Fault::BreakAfterBody).then_some(());
        if self.shared.strike(breaks).is_some() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.reply_at(Stage::Body, "250 taken").await.map(drop)
    }
}

/// What stands between the angle brackets of `FROM:<...>` or `TO:<...>`.
fn path(rest: &str) -> String {
    let inner = rest
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(|| rest.to_owned(), |(path, _)| path.to_owned())
}
