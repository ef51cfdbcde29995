"""The service under examination, and what the feed says it should have delivered."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime

from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

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


class Service:
    """One node on SQLite that delivers as the settings say."""

    def __init__(self, usher, folder, settings):
        port = free_port()
        self.url, self.folder, self.people = f"http://127.0.0.1:{port}", folder, 0
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LISTEN": f"127.0.0.1:{port}", "PUBLIC_URL": self.url,
            "DATA_DIR": str(folder), "MAIL_TRANSPORT": "mailbox", "LOG_FORMAT": "json", "ADMIN_EMAIL": ADMIN,
            "ADMIN_PASSWORD": PASSWORD, "HASH_MEMORY_KIB": "8", "HASH_ITERATIONS": "1", "RATE_LIMIT_REGISTER": "off",
        } | settings
        with open(folder / "log", "ab") as log:
            self.process = subprocess.Popen([usher, "serve"], cwd=folder, env=settings, stdout=log, stderr=log)
        begun = time.monotonic()
        while True:
            try:
                ask(f"{self.url}/readyz")
                return
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None or time.monotonic() - begun > PATIENCE:
                    sys.exit(f"the service did not start:\n{self.log()}")
                time.sleep(0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)

    def log(self):
        return (self.folder / "log").read_text()

    def sign_up(self, people=PEOPLE):
        for number in range(self.people, self.people + people):
            person = {"email": f"p{number}@example.org", "password": PASSWORD, "full_name": f"Zoë Nº {number}"}
            ask(f"{self.url}/api/v1/auth/register", person)
        self.people += people

    def feed(self):
        """All events, as soon as there are as many as the sign-ups, the admin and the sign-in make."""
        token = ask(f"{self.url}/api/v1/auth/login", {"email": ADMIN, "password": PASSWORD})["access_token"]
        begun, enough = time.monotonic(), 2 * self.people + 2
        while True:
            items = ask(f"{self.url}/api/v1/events?limit=100", token=token)["items"]
            if len(items) >= enough:
                return items
            if time.monotonic() - begun > PATIENCE:
                sys.exit(f"the feed has only {len(items)} events")
            time.sleep(0.2)


def read(settings, topics, count):
    """The records of the topics, once there are as many."""
    consumer = Consumer({"group.id": "reader"} | settings)
    begun, records, partitions = time.monotonic(), [], []
    # The first record may make the topic.
    while len({partition.topic for partition in partitions}) < len(topics) and time.monotonic() - begun < PATIENCE:
        known = consumer.list_topics(timeout=20).topics
        partitions = [TopicPartition(topic, number, OFFSET_BEGINNING)
                      for topic in topics if topic in known for number in known[topic].partitions]
        time.sleep(0.2)
    consumer.assign(partitions)
    while len(records) < count:
        record = consumer.poll(1)
        if record is not None and not record.error():
            records.append(record)
        if time.monotonic() - begun > PATIENCE:
            sys.exit(f"only {len(records)} of {count} records are in {', '.join(topics)}")
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


def must_be_the_feed(records, feed):
    """Every event of the feed was read, and is the same."""
    events = {event["id"]: event for event in map(parse, records)}
    for told in feed:
        told["time"] = datetime.fromisoformat(told["time"].replace("Z", "+00:00"))
        assert events[told["id"]] == told, f"{events[told['id']]} is not {told}"
