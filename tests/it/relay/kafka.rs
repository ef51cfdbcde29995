//! What arrives in Kafka: records as another program reads them, from librdkafka's cluster in memory.

use super::{committed, must_be_whole, undelivered};
use crate::support::{TestApp, people::BOB};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::{Headers as _, OwnedMessage},
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

pub const TOPIC: &str = "usher.users";
const PARTITIONS: i32 = 3;
/// Longer than any delivery takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A cluster of one broker in this process.
pub struct Cluster {
    pub mock: MockCluster<'static, DefaultProducerContext>,
    pub brokers: String,
}

impl Cluster {
    /// With these topics in it.
    pub fn start(topics: &[&str]) -> Self {
        let mock = MockCluster::new(1).unwrap();
        for topic in topics {
            mock.create_topic(topic, PARTITIONS, 1).unwrap();
        }
        let brokers = mock.bootstrap_servers();
        Self { mock, brokers }
    }

    /// The settings with which a service delivers to it.
    pub fn settings(&self) -> Vec<(&str, &str)> {
        vec![
            ("KAFKA_BROKERS", self.brokers.as_str()),
            ("KAFKA_CREATE_TOPICS", "false"),
        ]
    }

    /// The first `count` records of a topic and whatever else is there by then, partition by partition.
    pub fn read(&self, topic: &str, count: usize) -> Vec<OwnedMessage> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", "reader")
            .set("enable.partition.eof", "false")
            .create()
            .unwrap();
        let mut all = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            all.add_partition_offset(topic, partition, Offset::Beginning)
                .unwrap();
        }
        consumer.assign(&all).unwrap();
        let begun = Instant::now();
        let mut records = Vec::new();
        loop {
            match consumer.poll(Duration::from_millis(300)) {
                Some(record) => records.push(record.unwrap().detach()),
                None if records.len() >= count => return records,
                None => assert!(begun.elapsed() < PATIENCE, "only {} records", records.len()),
            }
        }
    }
}

/// The values as JSON.
pub fn values(records: &[OwnedMessage]) -> Vec<Value> {
    let values = records.iter().map(|record| record.payload().unwrap());
    values
        .map(|value| serde_json::from_slice(value).unwrap())
        .collect()
}

fn headers(record: &OwnedMessage) -> BTreeMap<String, String> {
    let headers = record.headers().unwrap().iter();
    headers
        .map(|header| {
            let value = String::from_utf8(header.value.unwrap().to_vec()).unwrap();
            (header.key.to_owned(), value)
        })
        .collect()
}

async fn feed(app: &TestApp) -> Vec<Value> {
    let ada = app.ada().await;
    let feed = app.get_as(&ada.access, "/api/v1/events?limit=100").await;
    feed.expect(200).body["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_a_structured_record_is_the_whole_event_under_its_persons_key() {
    let cluster = Cluster::start(&[TOPIC]);
    let app = TestApp::start_with(&cluster.settings()).await;
    app.bob().await;
    app.carol().await;
    app.app.deliver_events().await.unwrap();
    assert_eq!(undelivered(&app).await, 0);
    let feed = feed(&app).await;
    let records = cluster.read(TOPIC, feed.len());
    let mut partitions: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    for (record, value) in records.iter().zip(values(&records)) {
        assert_eq!(
            value["subject"].as_str().unwrap().as_bytes(),
            record.key().unwrap()
        );
        let expected = [(
            "content-type".to_owned(),
            "application/cloudevents+json".to_owned(),
        )];
        assert_eq!(headers(record), BTreeMap::from(expected));
        assert!(feed.contains(&value), "{value}");
        let subject = value["subject"].as_str().unwrap().to_owned();
        partitions
            .entry(subject)
            .or_default()
            .insert(record.partition());
    }
    assert!(partitions.values().all(|of_one| of_one.len() == 1));
    assert_eq!(
        must_be_whole(&values(&records), i64::try_from(feed.len()).unwrap()),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_record_has_the_attributes_as_headers_and_the_data_as_value() {
    let cluster = Cluster::start(&[TOPIC]);
    let mut settings = cluster.settings();
    settings.push(("KAFKA_MODE", "binary"));
    let app = TestApp::start_with(&settings).await;
    app.bob().await;
    app.app.deliver_events().await.unwrap();
    let feed = feed(&app).await;
    let records = cluster.read(TOPIC, feed.len());
    assert_eq!(records.len(), feed.len());
    for (record, value) in records.iter().zip(values(&records)) {
        let mut event = json!({ "data": value });
        for (name, value) in headers(record) {
            let name = match name.strip_prefix("ce_") {
                Some(name) => name.to_owned(),
                None if name == "content-type" => "datacontenttype".to_owned(),
                None => panic!("{name}"),
            };
            event[name] = json!(value);
        }
        assert!(feed.contains(&event), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_type_can_have_a_topic_of_its_own() {
    let topics = [
        "usher.user.created",
        "usher.user.verification_token.created",
    ];
    let cluster = Cluster::start(&topics);
    let mut settings = cluster.settings();
    settings.push(("KAFKA_TOPIC", "usher.{type}"));
    let app = TestApp::start_with(&settings).await;
    app.sign_up(BOB).await;
    app.app.deliver_events().await.unwrap();
    assert_eq!(undelivered(&app).await, 0);
    for (topic, count) in topics.into_iter().zip([2, 1]) {
        let events = values(&cluster.read(topic, count));
        assert_eq!(events.len(), count, "{topic}");
        let kind = topic.strip_prefix("usher.").unwrap();
        assert!(events.iter().all(|event| event["type"] == kind));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn i5_faults_of_the_broker_turn_no_order_around_and_make_nothing_twice() {
    let cluster = Cluster::start(&[TOPIC]);
    let app = TestApp::start_with(&cluster.settings()).await;
    app.bob().await;
    let faults = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    ];
    cluster.mock.request_errors(RDKafkaApiKey::Produce, &faults);
    while undelivered(&app).await > 0 {
        app.app.deliver_events().await.unwrap();
    }
    let count = committed(&app).await;
    let records = cluster.read(TOPIC, usize::try_from(count).unwrap());
    assert_eq!(must_be_whole(&values(&records), count), 0);
}
