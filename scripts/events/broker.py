"""Delivers to a broker of its own process (tansu), and looks at what the client in memory cannot show: topics that are made,
a broker that comes back empty, TLS with an authority of one's own, passwords by SCRAM, and certificates of clients.

Usage: broker.py USHER TANSU FOLDER
"""

import contextlib
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from service import PATIENCE, PEOPLE, Service, free_port, must_be_the_feed, read

USER, SECRET = "usher", "nine Ferries 3 crossing"


class Broker:
    """tansu on a port of loopback; `advertised` is where clients are sent to."""

    def __init__(self, tansu, folder, storage, port, advertised=None, must_sign_in=False):
        self.tansu, self.url = tansu, f"tcp://127.0.0.1:{port}"
        command = [tansu, "broker", "--listener-url", self.url, "--advertised-listener-url",
                   f"tcp://127.0.0.1:{advertised or port}", "--storage-engine", storage]
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "tansu.log", "ab") as log:
            self.process = subprocess.Popen(command + ["--authentication"] * must_sign_in, cwd=folder, stdout=log, stderr=log)
        time.sleep(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(timeout=PATIENCE)


def until(what, is_so):
    begun = time.monotonic()
    while not is_so():
        if time.monotonic() - begun > PATIENCE:
            sys.exit(f"never {what}")
        time.sleep(0.2)


def delivered(service):
    with urllib.request.urlopen(f"{service.url}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    counts = [line.split()[-1] for line in lines if line.startswith('usher_events_total{outcome="delivered"}')]
    return int(counts[0]) if counts else 0


def topics_are_made_and_made_again(usher, tansu, folder):
    port = free_port()
    brokers = f"127.0.0.1:{port}"
    with Broker(tansu, folder, "memory://tansu/", port) as broker, \
            Service(usher, folder, {"KAFKA_BROKERS": brokers, "KAFKA_TOPIC": "people.{type}"}) as service:
        service.sign_up()
        feed = service.feed()
        kinds = sorted({f"people.{event['type'].removeprefix('usher.')}" for event in feed})
        must_be_the_feed(read({"bootstrap.servers": brokers}, kinds, len(feed)), feed)
        print(f"topics: {len(feed)} events in {len(kinds)} topics that the service made")
        broker.process.kill()
        broker.process.wait(timeout=PATIENCE)
        service.sign_up()
        before = delivered(service)
        with Broker(tansu, folder, "memory://tansu/", port):
            until("delivered to the broker that came back empty", lambda: delivered(service) >= before + 2 * PEOPLE)
            later = [event for event in service.feed() if event["id"] not in {told["id"] for told in feed}]
            records = read({"bootstrap.servers": brokers}, ["people.user.created"], PEOPLE)
            assert {record.key().decode() for record in records} == {
                event["subject"] for event in later if event["type"].endswith("user.created")}
    print(f"a broker that came back empty: topics made again, {len(later)} later events delivered")


def certificates(folder):
    """An authority, and certificates that it has signed: of 127.0.0.1 for the broker, and of a client."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    folder.mkdir(parents=True, exist_ok=True)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("broker", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "names", "-out", f"{name}.crt")
    (folder / "broker.pem").write_text((folder / "broker.crt").read_text() + (folder / "broker.key").read_text())


@contextlib.contextmanager
def speaking_tls(folder, outer, inner, demand=""):
    """TLS in front of a broker, which itself does not speak it."""
    (folder / "haproxy.cfg").write_text(
        f"defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
        f"listen kafka\n  bind 127.0.0.1:{outer} ssl crt {folder / 'broker.pem'} {demand}\n  server broker 127.0.0.1:{inner}\n")
    with open(folder / "haproxy.log", "ab") as log:
        proxy = subprocess.Popen(["haproxy", "-db", "-f", "haproxy.cfg"], cwd=folder, stdout=log, stderr=log)
    try:
        yield
    finally:
        proxy.terminate()
        proxy.wait(timeout=PATIENCE)


def nothing_is_delivered(usher, folder, what, settings, secrets=()):
    with Service(usher, folder / what.replace(" ", "-"), {name: value for name, value in settings.items() if value}) as service:
        service.sign_up(1)
        until("noticed", lambda: "could not be delivered" in service.log() or "the Kafka client" in service.log())
        time.sleep(3)
        assert delivered(service) == 0, f"delivered with {what}"
        assert not any(secret in service.log() for secret in secrets)
    print(f"{what}: nothing is delivered, the feed keeps it")


def only_by_tls_and_password(usher, tansu, folder):
    certificates(folder)
    inner, outer = free_port(), free_port()
    storage = "sqlite:///tansu.db"  # in its working directory
    with Broker(tansu, folder, storage, inner) as broker:
        for mechanism in ("scram256", "scram512"):
            subprocess.run([tansu, "user", "create", USER, SECRET, "--mechanism", mechanism, "--broker", broker.url],
                           check=True, capture_output=True)
    brokers = f"127.0.0.1:{outer}"
    good = {"KAFKA_BROKERS": brokers, "KAFKA_TLS": "true", "KAFKA_CA_FILE": str(folder / "ca.pem"), "KAFKA_USERNAME": USER,
            "KAFKA_PASSWORD": SECRET, "KAFKA_TOPIC": "people"}
    with speaking_tls(folder, outer, inner), Broker(tansu, folder, storage, inner, outer, must_sign_in=True):
        wrong = "eleven Ferries 3"
        for what, change in {
            "an unknown authority": {"KAFKA_CA_FILE": ""}, "a wrong password": {"KAFKA_PASSWORD": wrong},
            "no password": {"KAFKA_USERNAME": "", "KAFKA_PASSWORD": ""},
        }.items():
            nothing_is_delivered(usher, folder, what, good | change, (SECRET, wrong))
        for mechanism in ("scram-sha-256", "scram-sha-512"):
            settings = good | {"KAFKA_SASL_MECHANISM": mechanism, "KAFKA_TOPIC": f"people.{mechanism}"}
            reader = {"bootstrap.servers": brokers, "security.protocol": "sasl_ssl", "ssl.ca.location": str(folder / "ca.pem"),
                      "sasl.mechanism": mechanism.upper(), "sasl.username": USER, "sasl.password": SECRET}
            everything_is_delivered(usher, folder, f"{mechanism} over TLS", settings, reader)


def everything_is_delivered(usher, folder, what, settings, reader):
    with Service(usher, folder / what.replace(" ", "-"), settings) as service:
        service.sign_up()
        feed = service.feed()
        must_be_the_feed(read(reader, [settings["KAFKA_TOPIC"]], len(feed)), feed)
    print(f"{what}: {len(feed)} events delivered and read")


def only_by_certificate(usher, tansu, folder):
    certificates(folder)
    inner, outer = free_port(), free_port()
    brokers = f"127.0.0.1:{outer}"
    own = {"certificate": str(folder / "client.crt"), "key": str(folder / "client.key"), "ca": str(folder / "ca.pem")}
    bare = {"KAFKA_BROKERS": brokers, "KAFKA_TLS": "true", "KAFKA_CA_FILE": own["ca"], "KAFKA_TOPIC": "people"}
    reader = {"bootstrap.servers": brokers, "security.protocol": "ssl", "ssl.ca.location": own["ca"],
              "ssl.certificate.location": own["certificate"], "ssl.key.location": own["key"]}
    demand = f"ca-file {own['ca']} verify required"
    with speaking_tls(folder, outer, inner, demand), Broker(tansu, folder, "memory://tansu/", inner, outer):
        nothing_is_delivered(usher, folder, "no certificate", bare)
        settings = bare | {"KAFKA_CERT_FILE": own["certificate"], "KAFKA_KEY_FILE": own["key"]}
        everything_is_delivered(usher, folder, "a client's certificate", settings, reader)


def main(usher, tansu, folder):
    folder = Path(folder)
    topics_are_made_and_made_again(usher, tansu, folder / "topics")
    only_by_tls_and_password(usher, tansu, folder / "secure")
    only_by_certificate(usher, tansu, folder / "certified")


main(*sys.argv[1:])
