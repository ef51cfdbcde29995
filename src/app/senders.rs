//! What the service reaches other servers by: the mail server, Redis, requests to webhooks.

use crate::{
    config::{Config, MailTransport, RedisPlace, SmtpTls},
    infra::{
        clock::Clock,
        mailer::{Mailer, SmtpSettings, Tls},
        outbound::{Outbound, OutboundSettings, Resolver},
        redis::{Place, Redis},
    },
    services::mails::LONGEST_SEND,
};
use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;

/// Requests to webhooks.
pub(super) fn make_outbound(config: &Config, resolver: Resolver) -> anyhow::Result<Outbound> {
    let webhooks = &config.webhooks;
    let ca_pem = webhooks.ca_file.as_ref().map(std::fs::read).transpose();
    Outbound::new(OutboundSettings {
        allow_private: webhooks.allow_private,
        timeout: webhooks.timeout,
        ca_pem: ca_pem.context("WEBHOOK_CA_FILE cannot be read")?,
        resolver,
    })
    .context("WEBHOOK_CA_FILE cannot be used")
}

/// Mails, as the configuration says.
pub(super) fn make_mailer(config: &Config, clock: &Clock) -> anyhow::Result<Mailer> {
    let smtp = match &config.mail.transport {
        MailTransport::Smtp(smtp) => smtp,
        MailTransport::Mailbox => return Ok(Mailer::Mailbox),
        MailTransport::Events => return Ok(Mailer::Events),
    };
    let ca_pem = config
        .mail
        .smtp_ca_file
        .as_ref()
        .map(std::fs::read)
        .transpose();
    let settings = SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port,
        tls: match smtp.tls {
            SmtpTls::Implicit => Tls::Implicit,
            SmtpTls::Required => Tls::Required,
            SmtpTls::Opportunistic => Tls::Opportunistic,
            SmtpTls::Off => Tls::None,
        },
        credentials: smtp.credentials.clone(),
        from: config.mail.from.clone(),
        hello_name: None,
        timeout: LONGEST_SEND,
        ca_pem: ca_pem.context("SMTP_CA_FILE cannot be read")?,
    };
    Mailer::smtp(&settings, clock.clone())
}

/// What nodes share beside the database; none without the setting.
pub(super) fn make_redis(config: &Config) -> anyhow::Result<Option<Arc<Redis>>> {
    let text = |url: &SecretString| url.expose_secret().to_owned();
    let place = match &config.redis.place {
        None => return Ok(None),
        Some(RedisPlace::One(url)) => Place::One(text(url)),
        Some(RedisPlace::Cluster(urls)) => Place::Cluster(urls.iter().map(text).collect()),
        Some(RedisPlace::Sentinel { sentinels, master }) => Place::Sentinel {
            sentinels: sentinels.iter().map(text).collect(),
            master: master.clone(),
        },
    };
    Ok(Some(Arc::new(Redis::new(place, config.redis.timeout)?)))
}
