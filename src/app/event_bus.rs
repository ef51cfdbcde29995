//! From the settings of Kafka to the bus.

use crate::{config::Config, infra::bus::Bus};

/// The bus that the settings ask for.
#[cfg(feature = "kafka")]
pub(super) fn make_bus(config: &Config) -> anyhow::Result<Bus> {
    use crate::{
        config::{KafkaMode, SaslMechanism},
        infra::bus::kafka::{KafkaBus, KafkaSettings, Mode},
    };
    let Some(kafka) = &config.events.kafka else {
        return Ok(Bus::Off);
    };
    let sasl = kafka.sasl.as_ref().map(|(mechanism, username, password)| {
        let mechanism = match mechanism {
            SaslMechanism::Plain => "PLAIN",
            SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
            SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
        };
        (mechanism, username.clone(), password.clone())
    });
    let settings = KafkaSettings {
        brokers: kafka.brokers.clone(),
        topic: kafka.topic.clone(),
        mode: match kafka.mode {
            KafkaMode::Structured => Mode::Structured,
            KafkaMode::Binary => Mode::Binary,
        },
        create_topics: kafka.create_topics,
        tls: kafka.tls,
        ca_file: kafka.ca_file.clone(),
        client: kafka.client.clone(),
        sasl,
    };
    Ok(Bus::Kafka(std::sync::Arc::new(KafkaBus::new(settings)?)))
}

/// Without the client; the settings refuse brokers then.
#[cfg(not(feature = "kafka"))]
pub(super) fn make_bus(config: &Config) -> anyhow::Result<Bus> {
    anyhow::ensure!(
        config.events.kafka.is_none(),
        "KAFKA_BROKERS is set, and this binary was built without the feature kafka"
    );
    Ok(Bus::Off)
}
