//! Hangs up on who connects and then asks for nothing, in whatever version of HTTP, on who has fallen silent since, and on
//! who asks and does not take the answers. The server itself waits without a limit for the bytes that tell the version, in
//! HTTP/2 for requests, and for whoever reads.

use axum_server::accept::Accept;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};
use tower::Service;

/// How long a connection may say nothing.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From the end of the handshake to the first request, whole with its headers.
    pub first: Duration,
    /// After that, while no request is worked on and no byte goes either way; up to twice as long.
    pub idle: Duration,
    /// While something is to be sent and the other side takes no byte of it.
    pub stalled: Duration,
}

/// Accepts as the inner one does, and then waits only so long.
#[derive(Clone)]
pub struct PromptAcceptor<A> {
    pub inner: A,
    pub patience: Patience,
}

impl<A, I, S> Accept<I, S> for PromptAcceptor<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Prompt<A::Stream>;
    type Service = Heard<A::Service>;
    type Future =
        Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send + 'static>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepted, patience) = (self.inner.accept(stream, service), self.patience);
        Box::pin(async move {
            let (stream, service) = accepted.await?;
            Ok(prompt(stream, service, patience))
        })
    }
}

/// The two ends of a connection: its bytes, and what its requests go to.
fn prompt<S, T>(stream: S, service: T, patience: Patience) -> (Prompt<S>, Heard<T>) {
    let requests = Arc::<Requests>::default();
    let heard = Heard {
        service,
        requests: Arc::clone(&requests),
    };
    let prompt = Prompt {
        stream,
        requests,
        patience,
        has_moved: false,
        stalled: None,
        deadline: Box::pin(sleep(patience.first)),
    };
    (prompt, heard)
}

/// What is known of the requests of a connection.
#[derive(Debug, Default)]
struct Requests {
    has_come: AtomicBool,
    under_way: AtomicUsize,
}

/// One of them; it is over when this is dropped.
struct Request(Arc<Requests>);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets its connection know of each request.
#[derive(Clone)]
pub struct Heard<T> {
    service: T,
    requests: Arc<Requests>,
}

impl<T, R> Service<R> for Heard<T>
where
    T: Service<R>,
    T::Future: Send + 'static,
{
    type Response = T::Response;
    type Error = T::Error;
    type Future =
        Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send + 'static>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.requests.has_come.store(true, Ordering::Relaxed);
        self.requests.under_way.fetch_add(1, Ordering::Relaxed);
        let under_way = Request(Arc::clone(&self.requests));
        let answer = self.service.call(request);
        Box::pin(async move {
            let answer = answer.await;
            drop(under_way);
            answer
        })
    }
}

/// A connection that fails when it has been silent for too long.
pub struct Prompt<S> {
    stream: S,
    requests: Arc<Requests>,
    patience: Patience,
    /// Whether bytes went since the deadline was set.
    has_moved: bool,
    deadline: Pin<Box<Sleep>>,
    /// Until when what waits to be sent may wait.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Prompt<S> {
    /// Ready when it has been silent for too long.
    fn poll_silent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.deadline.as_mut().poll(cx));
            let is_at_work = self.requests.under_way.load(Ordering::Relaxed) > 0;
            let has_come = self.requests.has_come.load(Ordering::Relaxed);
            if !has_come || !(is_at_work || self.has_moved) {
                return Poll::Ready(());
            }
            self.has_moved = false;
            self.deadline
                .as_mut()
                .reset(Instant::now() + self.patience.idle);
        }
    }

    fn note_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.has_moved |= matches!(written, Poll::Ready(Ok(1..)));
        self.unless_stalled(cx, written)
    }

    /// What came of sending, or an error when nothing could be sent for too long.
    fn unless_stalled<R>(
        &mut self,
        cx: &mut Context<'_>,
        sent: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if sent.is_ready() {
            self.stalled = None;
            return sent;
        }
        let patience = self.patience.stalled;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.has_moved |= polled.is_ready();
        if polled.is_pending() {
            ready!(this.poll_silent(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note_write(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.unless_stalled(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.unless_stalled(cx, shut)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests;
