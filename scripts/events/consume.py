"""Reads what the service delivers to Kafka with programs that are not ours, in both modes, and compares it with the feed.

The broker is librdkafka's cluster in memory, in this process. Usage: consume.py USHER FOLDER
"""

import sys
from pathlib import Path

from confluent_kafka import Producer
from service import Service, must_be_the_feed, read


def main(usher, folder):
    # Kept to the end: the cluster goes with it.
    cluster = Producer({"test.mock.num.brokers": 1})
    broker = next(iter(cluster.list_topics(timeout=20).brokers.values()))
    brokers = f"{broker.host}:{broker.port}"
    for mode in ("structured", "binary"):
        topic = f"events.{mode}"
        settings = {"KAFKA_BROKERS": brokers, "KAFKA_TOPIC": topic, "KAFKA_MODE": mode, "KAFKA_CREATE_TOPICS": "false"}
        with Service(usher, Path(folder) / mode, settings) as service:
            service.sign_up()
            feed = service.feed()
            must_be_the_feed(read({"bootstrap.servers": brokers}, [topic], len(feed)), feed)
        print(f"{mode}: {len(feed)} events read by confluent-kafka, understood by the CloudEvents SDK, the same as in the feed")


main(*sys.argv[1:])
