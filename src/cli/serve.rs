//! `usher serve`: listens, starts the jobs, and on a signal drains and stops within the time that is set.

use super::prompt::{Patience, PromptAcceptor};
use crate::{
    app::{self, App, Means},
    config::{Config, TlsFiles},
    domain::policy::SignupPrivacy,
    telemetry,
};
use anyhow::Context as _;
use axum_server::{
    Handle,
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::rt::TokioTimer;
use std::{
    net::{SocketAddr, TcpListener},
    time::{Duration, Instant},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
    time::timeout,
};

/// A client that has not sent its headers by then is hung up on.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// For all connections, in whatever version of HTTP.
const PATIENCE: Patience = Patience {
    first: HEADER_TIMEOUT,
    idle: Duration::from_mins(2),
    stalled: Duration::from_secs(30),
};

/// What is left of the time to stop for writing down what is gathered in memory, however stuck the clients are.
const FOR_JOBS: Duration = Duration::from_secs(1);

/// Between two rounds the histograms keep every sample; unasked, they would keep them for ever.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Serves until told to stop.
pub async fn run(config: &Config) -> anyhow::Result<()> {
    telemetry::init(&config.logs);
    let traces = telemetry::traces::start(config.traces.as_ref())?;
    warn_of_clear_text(config);
    warn_of_links_in_events(config);
    warn_of_told_sign_ups(config);
    let listener = listen(config.http.listen)?;
    let admin_listener = config.http.admin_listen.map(listen).transpose()?;
    let app = app::build(config, Means::default()).await?;
    let jobs = app.start_jobs();
    tokio::spawn(keep_up_metrics());
    let stop = stop_signal()?;
    let handle = Handle::new();
    let mut servers = JoinSet::new();
    if let Some(listener) = admin_listener {
        let router = app.admin_router.clone();
        servers.spawn(serve(listener, router, None, handle.clone(), PATIENCE));
    }
    tracing::info!(listen = %listener.local_addr()?, url = %config.http.public_url, "usher is ready");
    servers.spawn(serve(
        listener,
        app.router.clone(),
        config.http.tls.clone(),
        handle.clone(),
        PATIENCE,
    ));
    let failed = tokio::select! {
        () = stop => None,
        ended = servers.join_next() => ended,
    };
    let begun = Instant::now();
    shut_down(config, &app, &handle).await;
    while servers.join_next().await.is_some() {}
    let left = config.http.shutdown_timeout.saturating_sub(begun.elapsed());
    // A mail server that does not answer must not hold up the end: what it has not taken is sent again later.
    if timeout(left.max(FOR_JOBS), jobs.stop()).await.is_err() {
        tracing::warn!("a job did not come to its end in time");
    }
    app.close().await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    match failed {
        Some(ended) => ended?,
        None => Ok(()),
    }
}

/// Says that whoever reads the events can use the links of mails.
fn warn_of_links_in_events(config: &Config) {
    if config.policy().mails_as_events {
        tracing::warn!(
            "MAIL_TRANSPORT=events: the links of mails leave in the events, and whoever reads these can use them"
        );
    }
}

/// Says that a sign-in tells what a strict sign-up does not.
fn warn_of_told_sign_ups(config: &Config) {
    let signup = &config.signup;
    if signup.privacy == SignupPrivacy::Strict && !signup.require_email_verification {
        tracing::warn!(
            "SIGNUP_PRIVACY=strict hides nothing with REQUIRE_EMAIL_VERIFICATION=false: who signs up with a free address can sign in"
        );
    }
}

/// Says where personal data would cross a network in clear.
fn warn_of_clear_text(config: &Config) {
    if config.is_production() && config.database.may_be_in_clear() {
        tracing::warn!(
            "the connection to PostgreSQL may be unencrypted: add ?sslmode=verify-full to DATABASE_URL"
        );
    }
    if config.is_production() && config.redis.may_be_in_clear() {
        tracing::warn!("the connection to Redis is unencrypted: write rediss:// in REDIS_URL");
    }
    if config.is_production() && config.events.may_be_in_clear() {
        tracing::warn!("the connection to Kafka is unencrypted: set KAFKA_TLS=true");
    }
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener =
        TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(
    listener: TcpListener,
    router: axum::Router,
    tls: Option<TlsFiles>,
    handle: Handle<SocketAddr>,
    patience: Patience,
) -> anyhow::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Some(files) = tls {
        let tls = RustlsConfig::from_pem_file(&files.cert, &files.key).await;
        let tls = tls.context("TLS_CERT and TLS_KEY cannot be used")?;
        let acceptor = PromptAcceptor {
            inner: RustlsAcceptor::new(tls)
                .handshake_timeout(HEADER_TIMEOUT)
                .acceptor(NoDelayAcceptor::new()),
            patience,
        };
        let mut server = axum_server::from_tcp(listener)?
            .acceptor(acceptor)
            .handle(handle);
        server
            .http_builder()
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT);
        return Ok(server.serve(service).await?);
    }
    // In clear only HTTP/1.1: telling the versions apart waits for the first bytes without any limit.
    let acceptor = PromptAcceptor {
        inner: NoDelayAcceptor::new(),
        patience,
    };
    let mut server = axum_server::from_tcp(listener)?
        .acceptor(acceptor)
        .http1_only()
        .handle(handle);
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    Ok(server.serve(service).await?)
}

/// Readiness turns first, and every answer tells its connection to close. Balancers have noticed when the listener closes;
/// then what is under way may finish.
async fn shut_down(config: &Config, app: &App, handle: &Handle<SocketAddr>) {
    let drain = config.http.drain;
    tracing::info!(
        drain_seconds = drain.as_secs(),
        "stopping: draining connections"
    );
    app.drain();
    tokio::time::sleep(drain).await;
    let left = config.http.shutdown_timeout.saturating_sub(drain);
    handle.graceful_shutdown(Some(left.saturating_sub(FOR_JOBS)));
}

/// Folds the samples of the histograms into their buckets, whether or not anybody reads `/metrics`.
async fn keep_up_metrics() {
    let metrics = telemetry::metrics_recorder();
    loop {
        tokio::time::sleep(METRICS_UPKEEP).await;
        metrics.run_upkeep();
    }
}

fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    })
}

#[cfg(test)]
mod tests;
