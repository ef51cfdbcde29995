//! Spans of a trace (OpenTelemetry). Off until the wiring has somewhere to send them, and then one look at a flag is all they
//! cost. A span says what was done and for how long, never to whom: no datum of a person, no token, no address goes into one.

use crate::domain::trace_parent::TraceParent;
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId, Value, global,
    trace::{
        FutureExt as _, SpanContext, SpanKind, Status, TraceContextExt as _, TraceState,
        Tracer as _,
    },
};
use std::{
    borrow::Cow,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

static ON: AtomicBool = AtomicBool::new(false);

/// Which side of a conversation a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Answers a request.
    Server,
    /// Works by itself.
    Internal,
    /// Puts something into a queue.
    Producer,
    /// Takes it out.
    Consumer,
}

/// From now on spans are recorded.
pub fn switch_on() {
    ON.store(true, Ordering::Relaxed);
}

/// Whether spans are recorded.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// A span that lasts until it is dropped.
pub struct Span(Option<Context>);

impl Span {
    /// Begins one within the given place, or within what is being done.
    pub fn begin(
        name: impl Into<Cow<'static, str>>,
        side: Side,
        parent: Option<TraceParent>,
    ) -> Self {
        if !is_on() {
            return Self(None);
        }
        let within = parent.map_or_else(Context::current, |parent| {
            Context::new().with_remote_span_context(remote(parent))
        });
        let tracer = global::tracer("usher");
        let kind = match side {
            Side::Server => SpanKind::Server,
            Side::Internal => SpanKind::Internal,
            Side::Producer => SpanKind::Producer,
            Side::Consumer => SpanKind::Consumer,
        };
        let span = tracer
            .span_builder(name)
            .with_kind(kind)
            .start_with_context(&tracer, &within);
        Self(Some(within.with_span(span)))
    }

    /// Adds an attribute.
    pub fn note(&self, name: &'static str, value: impl Into<Value>) {
        if let Some(context) = &self.0 {
            context.span().set_attribute(KeyValue::new(name, value));
        }
    }

    /// Marks it as failed.
    pub fn fail(&self) {
        if let Some(context) = &self.0 {
            context.span().set_status(Status::error(""));
        }
    }

    /// Runs a future within it.
    pub async fn around<F: Future>(&self, work: F) -> F::Output {
        match &self.0 {
            Some(context) => work.with_context(context.clone()).await,
            None => work.await,
        }
    }

    /// Where it is in its trace, if that is recorded.
    pub fn place(&self) -> Option<TraceParent> {
        place(self.0.as_ref()?)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(context) = &self.0 {
            context.span().end();
        }
    }
}

/// Runs what no request asks for as the root of a trace of its own, and marks it if it fails.
pub fn root<T, E>(
    name: impl Into<Cow<'static, str>>,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    // On the heap: a round is long, and who waits for it would hold it twice.
    let work = Box::pin(work);
    let name = name.into();
    async move {
        let span = Span::begin(name, Side::Internal, None);
        let done = span.around(work).await;
        if done.is_err() {
            span.fail();
        }
        done
    }
}

/// A trace of one span for what has just been done, where it is not known before whether there is something to do.
pub fn tell_of_round(name: &'static str, elapsed: Duration) {
    if !is_on() {
        return;
    }
    let now = opentelemetry::time::now();
    let begun = now.checked_sub(elapsed).unwrap_or(now);
    let tracer = global::tracer("usher");
    let span = tracer.span_builder(name).with_start_time(begun);
    let context = Context::new().with_span(span.start_with_context(&tracer, &Context::new()));
    context.span().end_with_timestamp(now);
}

/// A statement of the database that has just been answered.
pub fn tell_of_statement(operation: &'static str, table: &str, elapsed: Duration, failed: bool) {
    let within = Context::current();
    if place(&within).is_none() {
        return;
    }
    let tracer = global::tracer("usher");
    let now = opentelemetry::time::now();
    let begun = now.checked_sub(elapsed).unwrap_or(now);
    let attributes = [
        KeyValue::new("db.operation.name", operation),
        KeyValue::new("db.collection.name", table.to_owned()),
    ];
    let span = tracer
        .span_builder(format!("{operation} {table}"))
        .with_kind(SpanKind::Client)
        .with_start_time(begun)
        .with_attributes(attributes)
        .start_with_context(&tracer, &within);
    let context = within.with_span(span);
    if failed {
        context.span().set_status(Status::error(""));
    }
    context.span().end_with_timestamp(now);
}

fn place(context: &Context) -> Option<TraceParent> {
    let span = context.span();
    let of_span = span.span_context();
    (of_span.is_valid() && of_span.is_sampled()).then(|| TraceParent {
        trace: u128::from_be_bytes(of_span.trace_id().to_bytes()),
        span: u64::from_be_bytes(of_span.span_id().to_bytes()),
        is_sampled: true,
    })
}

fn remote(parent: TraceParent) -> SpanContext {
    let flags = if parent.is_sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::default()
    };
    SpanContext::new(
        TraceId::from(parent.trace),
        SpanId::from(parent.span),
        flags,
        true,
        TraceState::default(),
    )
}
