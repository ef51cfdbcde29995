"""Reads what the service delivers to Kafka with programs that are not ours, in both modes, and compares it with the feed.

The broker is librdkafka's cluster in memory, in this process. Usage: consume.py USHER FOLDER
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path

from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

ADMIN, PASSWORD = "ada@example.org", "four Ships 5 rowing home"
PEOPLE = 5
PATIENCE = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(url, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as answer:
        return json.load(answer)


def start(usher, folder, brokers, mode):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "LISTEN": f"127.0.0.1:{port}", "PUBLIC_URL": url,
        "DATA_DIR": str(folder), "MAIL_TRANSPORT": "mailbox", "LOG_FORMAT": "json", "ADMIN_EMAIL": ADMIN,
        "ADMIN_PASSWORD": PASSWORD, "KAFKA_BROKERS": brokers, "KAFKA_TOPIC": f"events.{mode}", "KAFKA_MODE": mode, "KAFKA_CREATE_TOPICS": "false",
        "HASH_MEMORY_KIB": "8", "HASH_ITERATIONS": "1", "RATE_LIMIT_REGISTER": "off",
    }
    with open(folder / "log", "wb") as log:
        service = subprocess.Popen([usher, "serve"], cwd=folder, env=settings, stdout=log, stderr=log)
    begun = time.monotonic()
    while True:
        try:
            ask(f"{url}/readyz")
            return service, url
        except (urllib.error.URLError, ConnectionError):
            if service.poll() is not None or time.monotonic() - begun > PATIENCE:
                sys.exit(f"the service did not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.2)


def feed_after_sign_ups(url):
    for number in range(PEOPLE):
        person = {"email": f"p{number}@example.org", "password": PASSWORD, "full_name": f"Zoë Nº {number}"}
        ask(f"{url}/api/v1/auth/register", person)
    token = ask(f"{url}/api/v1/auth/login", {"email": ADMIN, "password": PASSWORD})["access_token"]
    begun, enough = time.monotonic(), 2 * PEOPLE + 2
    while True:
        items = ask(f"{url}/api/v1/events?limit=100", token=token)["items"]
        if len(items) >= enough:
            return items
        if time.monotonic() - begun > PATIENCE:
            sys.exit(f"the feed has only {len(items)} events")
        time.sleep(0.2)


def read(brokers, topic, count):
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "reader"})
    begun, records, partitions = time.monotonic(), [], {}
    # The first record makes the topic.
    while not partitions and time.monotonic() - begun < PATIENCE:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        time.sleep(0.2)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    while len(records) < count:
        record = consumer.poll(1)
        if record is not None and not record.error():
            records.append(record)
        if time.monotonic() - begun > PATIENCE:
            sys.exit(f"only {len(records)} of {count} records are in {topic}")
    consumer.close()
    return records


def parse(record):
    """The event as the SDK understands it, in the shape of the feed."""
    headers = {name: value for name, value in record.headers()}
    event = from_kafka_event(KafkaMessage(headers=headers, key=record.key(), value=record.value()))
    assert record.key().decode() == event.get_subject(), "the key is not the person"
    data = event.get_data()
    seen = {
        "specversion": event.get_specversion(), "id": event.get_id(), "source": event.get_source(),
        "type": event.get_type(), "subject": event.get_subject(), "time": event.get_time(),
        "datacontenttype": event.get_datacontenttype(), "data": json.loads(data) if isinstance(data, (str, bytes)) else data,
    }
    for name in ("sequence", "requestid"):
        seen[name] = event.get_extension(name)
    return seen


def main(usher, folder):
    # Kept to the end: the cluster goes with it.
    cluster = Producer({"test.mock.num.brokers": 1})
    broker = next(iter(cluster.list_topics(timeout=20).brokers.values()))
    brokers = f"{broker.host}:{broker.port}"
    for mode in ("structured", "binary"):
        place = Path(folder) / mode
        place.mkdir()
        service, url = start(usher, place, brokers, mode)
        try:
            feed = feed_after_sign_ups(url)
            events = {event["id"]: event for event in map(parse, read(brokers, f"events.{mode}", len(feed)))}
        finally:
            service.terminate()
            service.wait(timeout=PATIENCE)
        for told in feed:
            read_back = events[told["id"]]
            told["time"] = datetime.fromisoformat(told["time"].replace("Z", "+00:00"))
            assert read_back == told, f"{mode}: {read_back} is not {told}"
        print(f"{mode}: {len(feed)} events read by confluent-kafka, understood by the CloudEvents SDK, the same as in the feed")


main(*sys.argv[1:])
