//! The Kafka client: records by the CloudEvents binding (1.0.2), key = person. Idempotent and `acks=all`, so the client
//! itself makes no duplicates and loses nothing; what it reports as arrived is on all replicas that the cluster asks for.

mod settings;
#[cfg(test)]
mod tests;

use super::BusFault;
use crate::domain::{
    cloud_event::{CONTENT_TYPE, CloudEvent, DATA_CONTENT_TYPE},
    event::EventType,
};
use rdkafka::{
    ClientConfig, ClientContext,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _},
};
pub use settings::{KafkaSettings, Mode};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// For making topics; who tries again after trouble does not wait for long.
const ADMIN_TIMEOUT: Duration = Duration::from_secs(10);
const ADMIN_TIMEOUT_AGAIN: Duration = Duration::from_secs(2);
/// Where a topic takes the event's type.
const TYPE: &str = "{type}";
/// The cluster's own default, for partitions and replicas.
const DEFAULT: i32 = -1;

/// A cluster to deliver to.
pub struct KafkaBus {
    settings: KafkaSettings,
    config: ClientConfig,
    /// Made anew after an error that it does not come back from.
    producer: Mutex<FutureProducer<Log>>,
}

/// Where the client's own messages go. They tell of connections, never of records.
#[derive(Clone)]
struct Log;

impl ClientContext for Log {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error => tracing::warn!(facility, message, "the Kafka client"),
            _ => tracing::debug!(facility, message, "the Kafka client"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "the Kafka client");
    }
}

impl KafkaBus {
    /// Checks the settings; connects in the background.
    pub fn new(settings: KafkaSettings) -> anyhow::Result<Self> {
        let config = settings.for_client()?;
        let producer = config
            .create_with_context(Log)
            .map_err(|error| anyhow::anyhow!("the Kafka client cannot be made: {error}"))?;
        Ok(Self {
            settings,
            config,
            producer: Mutex::new(producer),
        })
    }

    /// Makes the topics that are missing. Whoever may not is told so by the first record, if they are missing indeed.
    pub(super) async fn prepare(&self) {
        if let Err(error) = self.create_topics(ADMIN_TIMEOUT).await {
            tracing::warn!(%error, "the Kafka topics could not be made");
        }
    }

    async fn create_topics(&self, patience: Duration) -> Result<(), KafkaError> {
        if !self.settings.create_topics {
            return Ok(());
        }
        let names: BTreeSet<String> = EventType::ALL
            .iter()
            .map(|kind| self.topic(kind.as_str()))
            .collect();
        let topics: Vec<NewTopic<'_>> = names
            .iter()
            .map(|name| NewTopic::new(name, DEFAULT, TopicReplication::Fixed(DEFAULT)))
            .collect();
        let options = AdminOptions::new().request_timeout(Some(patience));
        let admin: AdminClient<Log> = self.config.create_with_context(Log)?;
        let topics = admin.create_topics(&topics, &options).await?;
        for (topic, code) in topics.into_iter().filter_map(Result::err) {
            if code != RDKafkaErrorCode::TopicAlreadyExists {
                tracing::warn!(topic, %code, "a Kafka topic could not be made");
            }
        }
        Ok(())
    }

    /// Hands over events and waits for the broker's answer to each.
    pub(super) async fn send(&self, events: &[&CloudEvent]) -> Vec<Result<(), BusFault>> {
        let producer = self.producer().clone();
        let pending: Vec<Result<DeliveryFuture, KafkaError>> = events
            .iter()
            .map(|event| self.queue(&producer, event))
            .collect();
        let mut outcomes = Vec::with_capacity(pending.len());
        for pending in pending {
            outcomes.push(match pending {
                Ok(delivery) => match delivery.await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err((error, _))) => Err(error),
                    Err(_) => Err(KafkaError::Canceled),
                },
                Err(error) => Err(error),
            });
        }
        if producer.client().fatal_error().is_some() || outcomes.iter().any(is_disowned) {
            self.replace_producer();
        }
        if outcomes.iter().any(may_lack_topic) {
            let made = self.create_topics(ADMIN_TIMEOUT_AGAIN).await;
            tracing::debug!(?made, "the Kafka topics were looked after");
        }
        let fault = |error: KafkaError| BusFault(code_of(&error));
        outcomes
            .into_iter()
            .map(|outcome| outcome.map_err(fault))
            .collect()
    }

    fn queue(
        &self,
        producer: &FutureProducer<Log>,
        event: &CloudEvent,
    ) -> Result<DeliveryFuture, KafkaError> {
        let (topic, key) = (self.topic(&event.kind), event.subject.to_string());
        let (headers, value) = match self.settings.mode {
            Mode::Structured => structured(event),
            Mode::Binary => binary(event),
        };
        let record = FutureRecord::to(&topic)
            .key(&key)
            .payload(&value)
            .timestamp(event.time.timestamp_millis())
            .headers(headers);
        producer.send_result(record).map_err(|(error, _)| error)
    }

    fn topic(&self, kind: &str) -> String {
        self.settings.topic.replace(TYPE, kind)
    }

    fn producer(&self) -> std::sync::MutexGuard<'_, FutureProducer<Log>> {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace_producer(&self) {
        match self.config.create_with_context(Log) {
            Ok(fresh) => {
                tracing::warn!("the Kafka client had to be made anew");
                *self.producer() = fresh;
            }
            Err(error) => tracing::warn!(%error, "the Kafka client cannot be made anew"),
        }
    }
}

fn structured(event: &CloudEvent) -> (OwnedHeaders, Vec<u8>) {
    let headers = header(OwnedHeaders::new(), "content-type", CONTENT_TYPE);
    (headers, serde_json::json!(event).to_string().into_bytes())
}

/// The value is never empty: without one, a topic that is compacted would forget the person's last event.
fn binary(event: &CloudEvent) -> (OwnedHeaders, Vec<u8>) {
    let mut headers = header(OwnedHeaders::new(), "content-type", DATA_CONTENT_TYPE);
    for (name, value) in event.attributes() {
        headers = header(headers, &format!("ce_{name}"), &value);
    }
    (headers, event.data.to_string().into_bytes())
}

fn header(headers: OwnedHeaders, key: &str, value: &str) -> OwnedHeaders {
    let value = Some(value);
    headers.insert(Header { key, value })
}

/// Whether the cluster has forgotten this client, which it then believes nothing more.
fn is_disowned(outcome: &Result<(), KafkaError>) -> bool {
    matches!(
        code(outcome),
        Some(
            RDKafkaErrorCode::ProducerFenced
                | RDKafkaErrorCode::InvalidProducerEpoch
                | RDKafkaErrorCode::UnknownProducerId
                | RDKafkaErrorCode::OutOfOrderSequenceNumber
        )
    )
}

/// Whether the cluster may know no such topic any more: it says so, or nothing arrives.
fn may_lack_topic(outcome: &Result<(), KafkaError>) -> bool {
    matches!(
        code(outcome),
        Some(
            RDKafkaErrorCode::MessageTimedOut
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownTopicOrPartition
        )
    )
}

fn code(outcome: &Result<(), KafkaError>) -> Option<RDKafkaErrorCode> {
    outcome.as_ref().err()?.rdkafka_error_code()
}

/// What may be logged of an error: its code.
fn code_of(error: &KafkaError) -> String {
    error
        .rdkafka_error_code()
        .map_or_else(|| "client".to_owned(), |code| format!("{code:?}"))
}
