"""A broker of the Kafka protocol (librdkafka's mock cluster, in a process of its own) with a consumer beside it that writes
down what it reads. Run as a program, it is that process: it needs the package confluent-kafka."""

import collections
import json
import os
import signal
import subprocess
import sys
import time

TOPIC = "usher.users"


class Received:
    """What was read: ids, how often each, and where a person's sequence went back other than by a repetition."""

    def __init__(self):
        self.ids, self.highest, self.out_of_order, self.copies = set(), {}, [], collections.Counter()

    def add(self, id, subject, sequence):
        self.copies[id] += 1
        if id in self.ids:
            return
        if sequence < self.highest.get(subject, 0):
            self.out_of_order.append(f"{subject}: {sequence} came after {self.highest[subject]}")
        self.highest[subject] = max(sequence, self.highest.get(subject, 0))
        self.ids.add(id)


class Broker:
    def __init__(self, python, folder):
        self.path = folder / "received.jsonl"
        self.process = subprocess.Popen([python, __file__, self.path], stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def received(self):
        received = Received()
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                received.add(*json.loads(line))
        return received

    def wait_for(self, wanted, seconds=60):
        until = time.time() + seconds
        while not wanted <= (received := self.received()).ids and time.time() < until:
            time.sleep(0.5)
        return received

    def stop(self):
        self.go_on()
        self.process.kill()
        self.process.wait()


def serve(path):
    import re

    from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

    # The mock cluster's address is only in its log, which goes to standard error.
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    cluster = Producer({"test.mock.num.brokers": 1, "debug": "mock", "log_level": 7})
    text = b""
    while not (found := re.search(rb"bootstrap\.servers=([0-9.:]+)|127\.0\.0\.1:\d+", text)):
        cluster.poll(0)
        text += os.read(reader, 65536)
    # What it goes on to say of each request is of no use.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    address = (found.group(1) or found.group(0)).decode()
    consumer = Consumer({"bootstrap.servers": address, "group.id": "ledger", "auto.offset.reset": "earliest",
                         "allow.auto.create.topics": True})
    # The mock keeps 5 MB of a partition: no group has to find together before what waited is read.
    while not (partitions := consumer.list_topics(TOPIC).topics[TOPIC].partitions):
        time.sleep(0.05)
    consumer.assign([TopicPartition(TOPIC, partition, OFFSET_BEGINNING) for partition in partitions])
    print(address, flush=True)
    with open(path, "a") as file:
        while True:
            cluster.poll(0)
            for message in consumer.consume(1000, 0.1):
                if message.error():
                    continue
                event = json.loads(message.value())
                line = [event["id"].replace("-", ""), event["subject"], int(event["sequence"])]
                file.write(json.dumps(line) + "\n")
            file.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
