"""Private servers to break: PostgreSQL, Redis, a mail server, a broker, and the nodes of the service."""

import asyncio
import base64
import os
import pathlib
import quopri
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

from broker import Broker
from load import Client

ADMIN = ("admin@example.com", "copper lantern wide river")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(holds, seconds, what):
    """Waits for something; how long it took."""
    begin = time.monotonic()
    while not holds():
        if time.monotonic() - begin > seconds:
            raise SystemExit(f"after {seconds} s still not: {what}")
        time.sleep(0.02)
    return time.monotonic() - begin


def family(pid):
    """A process and all that it started."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [pid, *(one for child in children for one in family(int(child)))]


class Sqlite:
    servers = ()

    def __init__(self, folder):
        self.path = folder / "usher.db"
        self.url = f"sqlite://{self.path}"

    def rows(self, sql):
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30) as db:
            return db.execute(sql).fetchall()

    def number(self, sql):
        return int(self.rows(sql)[0][0])

    def hex(self, column):
        return f"lower(hex({column}))"

    def stop(self):
        pass


class Postgres:
    def __init__(self, folder, bin):
        self.bin, self.data = pathlib.Path(bin), folder / "postgres"
        self.user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        self.data.mkdir()
        if self.user:
            shutil.chown(self.data, "postgres")
        self.port = free_port()
        self.call("initdb", "--pgdata", self.data, "--auth", "trust", "--username", "postgres", "--encoding", "UTF8", "--locale", "C.UTF-8")
        self.control("start", "--options", f"-p {self.port} -k {self.data} -h 127.0.0.1 -c max_connections=200")
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def call(self, program, *arguments):
        command = [*self.user, self.bin / program, *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def control(self, what, *arguments):
        self.call("pg_ctl", "--pgdata", self.data, "--log", self.data / "log", "--wait", "--silent", what, *arguments)

    def use_new(self, name):
        """An empty database in place of the one before."""
        self.rows(f"CREATE DATABASE {name}")
        self.url = self.url.rsplit("/", 1)[0] + "/" + name

    def restart(self):
        self.control("restart", "--mode", "fast")

    def crash(self):
        self.control("stop", "--mode", "immediate")
        self.control("start", "--options", f"-p {self.port} -k {self.data} -h 127.0.0.1 -c max_connections=200")

    def send(self, what):
        for pid in family(int((self.data / "postmaster.pid").read_text().split()[0])):
            os.kill(int(pid), what)

    def pause(self):
        self.send(signal.SIGSTOP)

    def go_on(self):
        self.send(signal.SIGCONT)

    def rows(self, sql):
        done = subprocess.run([self.bin / "psql", "-AtqX", "-F", "\t", "-c", sql, self.url], capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def number(self, sql):
        return int(self.rows(sql)[0][0])

    def hex(self, column):
        return f"replace({column}::text, '-', '')"

    def stop(self):
        self.control("stop", "--mode", "immediate")


class Redis:
    def __init__(self, folder):
        self.folder, self.port, self.process = folder, free_port(), None
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(lambda: self.ask("PING").startswith("+PONG"), 10, "Redis answers")

    def ask(self, command):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(1000).decode()
        except OSError:
            return ""

    def stop(self):
        self.process.kill()
        self.process.wait()


class Mails:
    """A mail server that takes everything and remembers to whom."""

    def __init__(self):
        self.port, self.seen, self.lock, self.server = free_port(), {}, threading.Lock(), None
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.start()

    def start(self):
        self.server = self.do(asyncio.start_server(self.talk, "127.0.0.1", self.port))

    def stop(self):
        self.loop.call_soon_threadsafe(self.server.close)
        self.do(self.server.wait_closed())

    def do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    async def talk(self, reader, writer):
        try:
            writer.write(b"220 ready\r\n")
            recipient, server = None, self.server
            while (server is None or server.is_serving()) and (line := await reader.readline()):
                word = line.split(b" ")[0].strip().upper()
                if word == b"RCPT":
                    recipient = re.search(rb"<([^>]*)>", line).group(1).decode()
                if word == b"DATA":
                    writer.write(b"354 go on\r\n")
                    text = await reader.readuntil(b"\r\n.\r\n")
                    self.note(recipient, text)
                writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def note(self, recipient, text):
        id = re.search(rb"(?im)^message-id:\s*(\S+)", text).group(1)
        with self.lock:
            self.seen.setdefault(recipient, []).append((id, text))

    def count(self, recipient):
        """Copies of the mail that came most often."""
        with self.lock:
            ids = [id for id, _ in self.seen.get(recipient, [])]
        return max((ids.count(id) for id in set(ids)), default=0)

    def link(self, recipient):
        """The last mail, as text: its links are in it."""
        with self.lock:
            last = self.seen.get(recipient, [])[-1:]
        return "".join(quopri.decodestring(text).decode(errors="replace") for _, text in last)


class Node:
    """One process of the service."""

    def __init__(self, stand, number):
        self.stand, self.number, self.port, self.process = stand, number, free_port(), None

    def start(self):
        """Starts it; seconds until it is ready."""
        log = open(self.stand.folder / f"node{self.number}.log", "a")
        settings = dict(self.stand.settings(), LISTEN=f"127.0.0.1:{self.port}", **self.stand.extra)
        self.process = subprocess.Popen([self.stand.usher, "serve"], env=settings, stdout=log, stderr=log)
        return until(self.is_ready, 60, f"node {self.number} is ready (see {log.name})")

    def is_ready(self):
        if self.process.poll() is not None:
            raise SystemExit(f"node {self.number} ended by itself: see {self.stand.folder}")
        return Client([self.port]).ask("GET", "/readyz")[0] == 200

    def kill(self):
        self.process.kill()
        self.process.wait()


class Stand:
    """All of it together."""

    def __init__(self, usher, folder, database, nodes=1, redis=False, broker=None, mails=True):
        self.usher, self.folder, self.database, self.faults, self.extra = usher, folder, database, 0, {}
        self.keys = base64.b64encode(secrets.token_bytes(32)).decode()
        self.redis = Redis(folder) if redis else None
        self.mails = Mails() if mails else None
        self.broker = Broker(broker, folder) if broker else None
        self.nodes = [Node(self, number) for number in range(nodes)]

    def settings(self):
        """The environment of the service; limits are off, and hashes cheap: it is not they that are tried."""
        settings = {
            "PATH": os.environ["PATH"], "DATABASE_URL": self.database.url, "DATA_DIR": str(self.folder), "LOG_FORMAT": "json",
            "PUBLIC_URL": "http://usher.example.com", "ENCRYPTION_KEYS": f"k1:{self.keys}", "REQUIRE_EMAIL_VERIFICATION": "false",
            "ADMIN_EMAIL": ADMIN[0], "ADMIN_PASSWORD": ADMIN[1], "HASH_MEMORY_KIB": "64", "HASH_ITERATIONS": "1",
        }
        for limit in "LOGIN REGISTER MAIL REFRESH API RECIPIENT ACCOUNT".split():
            settings[f"RATE_LIMIT_{limit}"] = "off"
        if self.mails:
            settings |= {"SMTP_URL": f"smtp://127.0.0.1:{self.mails.port}?tls=none", "MAIL_FROM": "usher@example.com"}
        if self.redis:
            settings["REDIS_URL"] = self.redis.url
        if self.broker:
            settings["KAFKA_BROKERS"] = self.broker.address
        return settings

    def ports(self):
        return [node.port for node in self.nodes]

    def start(self):
        for node in self.nodes:
            node.start()

    def stop(self):
        for node in self.nodes:
            if node.process:
                node.kill()
        for server in (self.redis, self.mails, self.broker, self.database):
            if server:
                server.stop()
