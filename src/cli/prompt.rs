//! Hangs up on who completes a TLS handshake and then says nothing: which version of HTTP a client speaks is told by its
//! first bytes, and the server waits for those without a limit of its own.

use axum_server::accept::Accept;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How HTTP/2 begins (RFC 9113, section 3.4); what begins otherwise is HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Accepts as the inner one does, and then waits only so long.
#[derive(Clone)]
pub struct PromptAcceptor<A> {
    pub inner: A,
    /// From the end of the handshake to the bytes that tell the version.
    pub limit: Duration,
}

impl<A, I, S> Accept<I, S> for PromptAcceptor<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Prompt<A::Stream>;
    type Service = A::Service;
    type Future =
        Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send + 'static>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepted, limit) = (self.inner.accept(stream, service), self.limit);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            Ok((Prompt::new(stream, limit), service))
        })
    }
}

/// A connection that fails unless its version is told in time.
pub struct Prompt<S> {
    stream: S,
    /// None once the version is told.
    deadline: Option<Pin<Box<Sleep>>>,
    /// How much of the preface has come.
    matched: usize,
}

impl<S> Prompt<S> {
    fn new(stream: S, limit: Duration) -> Self {
        Self {
            stream,
            deadline: Some(Box::pin(sleep(limit))),
            matched: 0,
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if PREFACE.get(self.matched) != Some(byte) {
                self.deadline = None;
                return;
            }
            self.matched += 1;
        }
        if self.matched == PREFACE.len() {
            self.deadline = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        let Some(deadline) = &mut this.deadline else {
            return polled;
        };
        if polled.is_pending() {
            ready!(deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        this.hear(buf.filled().get(before..).unwrap_or_default());
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
        time::{Instant, timeout},
    };

    const LIMIT: Duration = Duration::from_secs(10);

    /// The two ends, after the client has said this.
    async fn said(bytes: &[u8]) -> (DuplexStream, Prompt<DuplexStream>) {
        let (mut client, server) = duplex(100);
        client.write_all(bytes).await.unwrap();
        (client, Prompt::new(server, LIMIT))
    }

    /// What becomes of a server that reads on and on.
    async fn read_on(server: &mut Prompt<DuplexStream>) -> io::Error {
        loop {
            if let Err(error) = server.read_u8().await {
                return error;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_tell_the_version_in_time_is_hung_up_on() {
        for bytes in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
            let begun = Instant::now();
            let (_client, mut server) = said(bytes).await;
            let error = read_on(&mut server).await;
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_drip_does_not_move_the_deadline() {
        let (mut client, mut server) = said(b"").await;
        let drip = async {
            for byte in PREFACE {
                sleep(Duration::from_secs(1)).await;
                client.write_u8(*byte).await.unwrap();
            }
        };
        let (error, ()) = tokio::join!(timeout(LIMIT * 2, read_on(&mut server)), drip);
        assert_eq!(error.unwrap().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_told_the_version_may_be_silent_after_it() {
        for bytes in [PREFACE, b"GET", b"PROPFIND"] {
            let (_client, mut server) = said(bytes).await;
            timeout(LIMIT * 100, read_on(&mut server))
                .await
                .unwrap_err();
        }
    }
}
