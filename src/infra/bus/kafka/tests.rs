//! What the client does with records that are on their way at the same moment.

use super::{KafkaBus, KafkaSettings, Mode};
use crate::infra::bus::tests::event;
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer as _},
    mocking::MockCluster,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
use std::time::Duration;

const TOPIC: &str = "usher.users";

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_record_is_not_taken_for_arrived_because_a_later_one_is() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let brokers = cluster.bootstrap_servers();
    let bus = KafkaBus::new(KafkaSettings {
        brokers: brokers.clone(),
        topic: TOPIC.to_owned(),
        mode: Mode::Structured,
        create_topics: false,
        tls: false,
        ca_file: None,
        client: None,
        sasl: None,
    })
    .unwrap();
    assert_eq!(bus.send(&[&event(1, 1, "user.updated")]).await, [Ok(())]);

    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
    cluster.request_errors(RDKafkaApiKey::Produce, &[refused]);
    cluster
        .broker_round_trip_time(1, Duration::from_millis(300))
        .unwrap();
    let producer = bus.producer().clone();
    let first = bus.queue(&producer, &event(1, 2, "user.updated")).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let second = bus.queue(&producer, &event(1, 3, "user.updated")).unwrap();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();

    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("group.id", "reader")
        .create()
        .unwrap();
    let (_, end) = consumer
        .fetch_watermarks(TOPIC, 0, Duration::from_secs(30))
        .unwrap();
    assert_eq!(end, 3, "all three arrived");
}
