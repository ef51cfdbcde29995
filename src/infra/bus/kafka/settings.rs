//! Which cluster, and how to speak to it.

use rdkafka::ClientConfig;
use secrecy::{ExposeSecret as _, SecretString};
use std::{path::PathBuf, time::Duration};

/// For one record, with all tries of the client; then the relay tries again.
const RECORD_TIMEOUT: Duration = Duration::from_secs(10);

/// How an event becomes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole of it as the value.
    Structured,
    /// Attributes as headers, the data as the value.
    Binary,
}

/// Which cluster, and how to speak to it.
#[derive(Clone)]
pub struct KafkaSettings {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// May hold `{type}`.
    pub topic: String,
    pub mode: Mode,
    pub create_topics: bool,
    pub tls: bool,
    /// PEM; the system's authorities without it.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key, PEM.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Mechanism as Kafka names it, user, password.
    pub sasl: Option<(&'static str, String, SecretString)>,
}

impl KafkaSettings {
    /// As librdkafka names it.
    pub(super) fn for_client(&self) -> anyhow::Result<ClientConfig> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "usher")
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // What comes after a refused record is not on its way yet: the client would take the refused one for arrived where a
            // broker takes a later one, as one does that does not count.
            .set("max.in.flight", "1")
            .set("linger.ms", "1")
            .set("compression.type", "none")
            .set("partitioner", "murmur2_random")
            .set("reconnect.backoff.max.ms", "2000")
            .set("topic.metadata.refresh.fast.interval.ms", "500")
            .set("message.timeout.ms", RECORD_TIMEOUT.as_millis().to_string());
        let protocol = match (self.tls, &self.sasl) {
            (true, Some(_)) => "sasl_ssl",
            (true, None) => "ssl",
            (false, Some(_)) => "sasl_plaintext",
            (false, None) => "plaintext",
        };
        config.set("security.protocol", protocol);
        if let Some((mechanism, username, password)) = &self.sasl {
            config
                .set("sasl.mechanism", *mechanism)
                .set("sasl.username", username)
                .set("sasl.password", password.expose_secret());
        }
        let (cert, key) = self.client.clone().unzip();
        for (name, file) in [
            ("ssl.ca.location", &self.ca_file),
            ("ssl.certificate.location", &cert),
            ("ssl.key.location", &key),
        ] {
            if let Some(file) = file {
                let file = file.to_str();
                let file = file.ok_or_else(|| anyhow::anyhow!("a path for Kafka is no UTF-8"))?;
                config.set(name, file);
            }
        }
        Ok(config)
    }
}
