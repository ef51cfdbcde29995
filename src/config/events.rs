//! Events for other systems: how long the feed keeps them, and the Kafka cluster that they are delivered to, if any.

use super::{
    reader::{Reader, is_loopback, items},
    secrets,
    setting::{Fallback, Setting},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{path::PathBuf, time::Duration};

const DAY: u64 = 24 * 60 * 60;
/// Where a topic takes the event's type.
const TYPE: &str = "{type}";
/// The longest name of a topic, and room for the longest type.
const LONGEST_TOPIC: usize = 249 - 40;
const NEEDS_BOTH: &str =
    "must come with its other half: KAFKA_CERT_FILE and KAFKA_KEY_FILE belong together";

pub(super) const SETTINGS: &[Setting] = &[
    Setting::new(
        "EVENTS_RETENTION_DAYS",
        Fallback::Fixed("30"),
        "For how long the feed keeps events; what is to go to Kafka and has not gone is kept longer.",
    ),
    Setting::new(
        "KAFKA_BROKERS",
        Fallback::Unset,
        "`host:9092,host:9092`: some brokers of the cluster that events are delivered to; without it they stay in the feed.",
    ),
    Setting::new(
        "KAFKA_TOPIC",
        Fallback::Fixed("usher.users"),
        "Topic of the events; `{type}` in it gives each type a topic of its own.",
    ),
    Setting::new(
        "KAFKA_MODE",
        Fallback::Fixed("structured"),
        "`structured`: the whole CloudEvent as JSON; `binary`: attributes as `ce_` headers, the data alone as value.",
    ),
    Setting::new(
        "KAFKA_CREATE_TOPICS",
        Fallback::Fixed("true"),
        "Whether missing topics are made with the cluster's defaults.",
    ),
    Setting::new(
        "KAFKA_TLS",
        Fallback::Derived(
            "`true` in production unless all brokers are on loopback addresses, else `false`",
        ),
        "Whether the brokers are spoken to by TLS; their certificates must be right then.",
    ),
    Setting::new(
        "KAFKA_CA_FILE",
        Fallback::Unset,
        "PEM file with the authority of the brokers' certificates; the system's if it is not set.",
    ),
    Setting::new(
        "KAFKA_CERT_FILE",
        Fallback::Unset,
        "PEM file with the certificate that this client shows.",
    ),
    Setting::new(
        "KAFKA_KEY_FILE",
        Fallback::Unset,
        "PEM file with the key to it.",
    ),
    Setting::new(
        "KAFKA_SASL_MECHANISM",
        Fallback::Fixed("scram-sha-512"),
        "`scram-sha-512`, `scram-sha-256` or `plain`, once `KAFKA_USERNAME` is set.",
    ),
    Setting::new(
        "KAFKA_USERNAME",
        Fallback::Unset,
        "Whom the brokers know this client as.",
    ),
    Setting::secret("KAFKA_PASSWORD", "The password to it."),
];

/// How an event becomes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KafkaMode {
    Structured,
    Binary,
}

/// How the client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaslMechanism {
    Plain,
    ScramSha256,
    ScramSha512,
}

/// Which cluster, and how to speak to it.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// May hold `{type}`.
    pub topic: String,
    pub mode: KafkaMode,
    pub create_topics: bool,
    pub tls: bool,
    pub ca_file: Option<PathBuf>,
    /// Certificate and key.
    pub client: Option<(PathBuf, PathBuf)>,
    pub sasl: Option<(SaslMechanism, String, SecretString)>,
    /// Whether all brokers are on this machine.
    pub is_local: bool,
}

/// Events for other systems.
#[derive(Debug, Clone)]
pub struct EventsConfig {
    pub retention: Duration,
    /// None if events are not delivered to Kafka.
    pub kafka: Option<KafkaConfig>,
}

impl EventsConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            retention: reader.span("EVENTS_RETENTION_DAYS", DAY, 1..=3_650),
            kafka: read_kafka(reader),
        }
    }

    /// Whether events can leave the machine unencrypted.
    pub fn may_be_in_clear(&self) -> bool {
        let kafka = self.kafka.as_ref();
        kafka.is_some_and(|kafka| !kafka.tls && !kafka.is_local)
    }
}

fn read_kafka(reader: &mut Reader) -> Option<KafkaConfig> {
    let form = "a list such as kafka-1.example.com:9092,kafka-2.example.com:9092";
    let brokers = reader.parsed("KAFKA_BROKERS", form, brokers);
    if brokers.is_some() && cfg!(not(feature = "kafka")) {
        reader.refuse(
            "KAFKA_BROKERS",
            "must not be set: this binary was built without the feature kafka",
        );
    }
    let is_local = brokers.as_ref().is_none_or(|brokers| {
        let hosts = brokers.iter().filter_map(|broker| broker.rsplit_once(':'));
        hosts.into_iter().all(|(host, _)| is_loopback(host))
    });
    let topic =
        "a topic's name: letters, digits, dots, hyphens and underscores, and {type} at most once";
    let modes = [
        ("structured", KafkaMode::Structured),
        ("binary", KafkaMode::Binary),
    ];
    let config = KafkaConfig {
        topic: reader
            .parsed("KAFKA_TOPIC", topic, read_topic)
            .unwrap_or_default(),
        mode: reader
            .one_of("KAFKA_MODE", &modes)
            .unwrap_or(KafkaMode::Structured),
        create_topics: reader.switch("KAFKA_CREATE_TOPICS"),
        tls: read_tls(reader, is_local),
        ca_file: reader.text("KAFKA_CA_FILE").map(PathBuf::from),
        client: read_client(reader),
        sasl: read_sasl(reader, is_local),
        is_local,
        brokers: String::new(),
    };
    Some(KafkaConfig {
        brokers: brokers?.join(","),
        ..config
    })
}

fn brokers(text: &str) -> Option<Vec<String>> {
    let all: Option<Vec<String>> = items(text).map(broker).collect();
    all.filter(|all| !all.is_empty())
}

fn broker(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    let is_host = !host.is_empty() && host.bytes().all(is_name);
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    (is_host && is_port).then(|| text.to_owned())
}

fn read_topic(text: &str) -> Option<String> {
    let fixed = text.replacen(TYPE, "", 1);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let is_topic = !text.is_empty()
        && text.len() <= LONGEST_TOPIC
        && !matches!(text, "." | "..")
        && fixed.bytes().all(is_name);
    is_topic.then(|| text.to_owned())
}

fn read_tls(reader: &mut Reader, is_local: bool) -> bool {
    let usual = reader.is_production() && !is_local;
    reader.derive("KAFKA_TLS", if usual { "true" } else { "false" });
    reader.switch("KAFKA_TLS")
}

fn read_client(reader: &mut Reader) -> Option<(PathBuf, PathBuf)> {
    let cert = reader.text("KAFKA_CERT_FILE").map(PathBuf::from);
    let key = reader.text("KAFKA_KEY_FILE").map(PathBuf::from);
    match (cert, key) {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        (Some(_), None) => {
            reader.refuse("KAFKA_CERT_FILE", NEEDS_BOTH);
            None
        }
        (None, Some(_)) => {
            reader.refuse("KAFKA_KEY_FILE", NEEDS_BOTH);
            None
        }
    }
}

fn read_sasl(reader: &mut Reader, is_local: bool) -> Option<(SaslMechanism, String, SecretString)> {
    let mechanisms = [
        ("plain", SaslMechanism::Plain),
        ("scram-sha-256", SaslMechanism::ScramSha256),
        ("scram-sha-512", SaslMechanism::ScramSha512),
    ];
    let mechanism = reader.one_of("KAFKA_SASL_MECHANISM", &mechanisms);
    let username = reader.text("KAFKA_USERNAME");
    let password = reader.secret("KAFKA_PASSWORD");
    if username.is_some() != password.is_some() {
        let name = if username.is_some() {
            "KAFKA_USERNAME"
        } else {
            "KAFKA_PASSWORD"
        };
        reader.refuse(
            name,
            "must come with its other half: KAFKA_USERNAME and KAFKA_PASSWORD belong together",
        );
    }
    let sasl = (mechanism?, username?, password?);
    secrets::judge_password(reader, "KAFKA_PASSWORD", sasl.2.expose_secret());
    let is_strict = sasl.0 == SaslMechanism::Plain && reader.is_production() && !is_local;
    if is_strict && reader.text("KAFKA_TLS").as_deref() == Some("false") {
        let rule =
            "must not be plain without KAFKA_TLS in production: the password would cross in clear";
        reader.refuse("KAFKA_SASL_MECHANISM", rule);
    }
    Some(sasl)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn brokers_have_a_host_and_a_port() {
        assert_eq!(
            brokers("a.example:9092, [::1]:9093").unwrap(),
            ["a.example:9092", "[::1]:9093"]
        );
        for text in [
            "",
            ",",
            "a",
            "a:",
            ":9092",
            "a:0",
            "a:99999",
            "a b:1",
            "kafka://a:9092",
        ] {
            assert!(brokers(text).is_none(), "{text}");
        }
        assert!(is_loopback("[::1]") && is_loopback("127.0.0.1") && is_loopback("localhost"));
        assert!(!is_loopback("kafka") && !is_loopback("10.0.0.1"));
    }

    #[test]
    fn a_topic_is_a_name_that_kafka_takes() {
        for text in ["usher.users", "{type}", "acme-{type}.v1", "A_1"] {
            assert_eq!(read_topic(text).as_deref(), Some(text));
        }
        for text in ["", ".", "..", "a b", "{kind}", "{type}{type}", "a/b", "ü"] {
            assert!(read_topic(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_a_reader(text in "\\PC{0,300}") {
            let _ = (brokers(&text), read_topic(&text));
        }
    }
}
