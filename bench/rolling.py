"""The work of bench/rolling: nodes, proxy, an even stream of requests, and rolling restarts or an upgrade meanwhile."""

import argparse
import asyncio
import base64
import json
import pathlib
import re
import secrets
import signal
import sys
import time

from million import make
from wire import Connection, ask, free_port

ADMIN, PASSWORD = "admin@example.com", "copper lantern wide river"
DRAIN = 2
# Milliseconds within which 99 of a hundred are answered, whatever is being restarted.
P99 = 200
# Of a hundred requests so many are of each kind: method, path, body, the only right answer.
KINDS = [
    (70, "GET", "/api/v1/users/me", None, 200),
    (20, "GET", "/health", None, 200),
    (10, "PATCH", "/api/v1/users/me", {"location": "Delft"}, 200),
]


class Node:
    """A process of the service on a port that stays the same."""

    def __init__(self, usher, url, work, name):
        self.usher, self.folder, self.port = usher, work / name, free_port()
        self.folder.mkdir()
        self.log = open(self.folder / "log", "ab")
        self.process = None
        self.environment = {
            "ENVIRONMENT": "development", "DATABASE_URL": url, "DATA_DIR": str(self.folder), "LISTEN": f"127.0.0.1:{self.port}",
            "PUBLIC_URL": "http://localhost", "ADMIN_EMAIL": ADMIN, "ADMIN_PASSWORD": PASSWORD, "AUTO_MIGRATE": "true",
            "ENCRYPTION_KEYS": KEY, "LOG_FORMAT": "json", "DRAIN_SECONDS": str(DRAIN), "TRUSTED_PROXIES": "127.0.0.1",
            **{f"RATE_LIMIT_{name}": "off" for name in ("LOGIN", "REGISTER", "MAIL", "REFRESH", "API", "RECIPIENT", "ACCOUNT")},
        }

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            self.usher, "serve", env=self.environment, cwd=self.folder, stdout=self.log, stderr=self.log)

    async def is_ready(self):
        begun = time.monotonic()
        while time.monotonic() - begun < 60:
            try:
                if (await ask(self.port, "GET", "/readyz"))[0] == 200:
                    return time.monotonic() - begun
            except (OSError, EOFError):
                pass
            await asyncio.sleep(0.05)
        raise SystemExit(f"{self.folder.name} does not become ready")

    async def stop(self):
        self.process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        code = await self.process.wait()
        if code:
            raise SystemExit(f"{self.folder.name} ended with {code}")
        return time.monotonic() - begun


class Load:
    """So many requests a second, whether or not the ones before were answered; the time counts from when each was due."""

    def __init__(self, port, token, rate):
        self.port, self.token, self.rate = port, token, rate
        self.idle, self.times, self.failures, self.running = [], [], [], set()
        self.stopped = False

    async def run(self):
        begun, number = time.monotonic(), 0
        while not self.stopped:
            due = begun + number / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self.one(number, due))
            self.running.add(task)
            task.add_done_callback(self.running.discard)
            number += 1
        await asyncio.gather(*self.running)

    async def one(self, number, due):
        place = number * 37 % 100
        for share, method, path, body, right in KINDS:
            place -= share
            if place < 0:
                break
        connection = self.idle.pop() if self.idle else Connection(self.port)
        try:
            status, _ = await asyncio.wait_for(connection.ask(method, path, body, self.token), 30)
            if status != right:
                self.failures.append(f"{method} {path}: {status}")
            self.idle.append(connection)
        except (OSError, EOFError, asyncio.TimeoutError, ValueError) as error:
            self.failures.append(f"{method} {path}: {error!r}")
            connection.close()
        self.times.append(time.monotonic() - due)


def proxy_file(work, nodes, port):
    """deploy/haproxy.cfg with these nodes, without TLS and the names of containers."""
    text = pathlib.Path("deploy/haproxy.cfg").read_text()
    text = re.sub(r"bind :8443 .*", f"bind 127.0.0.1:{port}", text)
    text = re.sub(r"\nresolvers docker\n(?:    .*\n)+", "\n", text).replace(" resolvers docker init-addr libc,none", "")
    text = re.sub(r"    server .*\n", "", text)
    text += "".join(f"    server {node.folder.name} 127.0.0.1:{node.port}\n" for node in nodes)
    (work / "haproxy.cfg").write_text(text)
    return work / "haproxy.cfg"


async def is_through(port):
    for _ in range(600):
        try:
            if (await ask(port, "GET", "/health"))[0] == 200:
                return
        except (OSError, EOFError):
            pass
        await asyncio.sleep(0.05)
    raise SystemExit("the proxy lets nothing through")


async def run_command(node, *arguments):
    """Runs a command beside a node; seconds."""
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        node.usher, *arguments, env=node.environment, cwd=node.folder, stdout=node.log, stderr=node.log)
    if await process.wait():
        raise SystemExit(f"usher {' '.join(arguments)} failed: see {node.folder / 'log'}")
    return time.monotonic() - begun


async def upgrade(options, nodes):
    """Migrates under the nodes, and gives each the new binary for its next start."""
    for node in nodes:
        node.usher = options.usher
    print(f"migrated in {await run_command(nodes[0], 'migrate', 'up'):.1f} s", flush=True)


async def measure(options):
    work = pathlib.Path(options.work)
    nodes = [Node(options.old or options.usher, options.url, work, f"node-{number}") for number in range(1, options.nodes + 1)]
    port = free_port()
    if options.people:
        make(work / "people.jsonl", options.people)
        await run_command(nodes[0], "migrate", "up")
        await run_command(nodes[0], "user", "import", str(work / "people.jsonl"), "--no-events", "--defer-indexes")
    for node in nodes:
        await node.start()
    for node in nodes:
        await node.is_ready()
    with open(work / "haproxy.log", "ab") as log:
        proxy = await asyncio.create_subprocess_exec("haproxy", "-db", "-f", proxy_file(work, nodes, port), stdout=log, stderr=log)
    try:
        await is_through(port)
        form = {"email": ADMIN, "password": PASSWORD}
        status, document = await ask(port, "POST", "/api/v1/auth/login", form)
        if status != 200:
            raise SystemExit(f"signing in: {status} {document}")
        load = Load(port, json.loads(document)["access_token"], options.rate)
        running = asyncio.create_task(load.run())
        stops, starts = [], []
        if options.old:
            await asyncio.sleep(5)
            await upgrade(options, nodes)
        for _ in range(options.rounds):
            for node in nodes:
                stops.append(await node.stop())
                await node.start()
                starts.append(await node.is_ready())
                # Two good checks of the proxy, half a second each.
                await asyncio.sleep(1.5)
        while len(load.times) < options.requests:
            await asyncio.sleep(0.1)
        load.stopped = True
        await running
        return load, stops, starts
    finally:
        proxy.terminate()
        await proxy.wait()
        for node in nodes:
            if node.process.returncode is None:
                node.process.kill()
                await node.process.wait()


def main():
    parser = argparse.ArgumentParser()
    for name in ("usher", "url", "work"):
        parser.add_argument(name)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--from", dest="old")
    parser.add_argument("--people", type=int, default=0)
    for name, value in (("--nodes", 3), ("--rounds", 3), ("--rate", 200), ("--requests", 30_000)):
        parser.add_argument(name, type=int, default=value)
    options = parser.parse_args()
    if options.short:
        options.nodes, options.rounds, options.rate, options.requests = 2, 1, 50, 0
    load, stops, starts = asyncio.run(measure(options))
    times = sorted(load.times)
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] * 1000
    print(f"{len(times)} requests at {options.rate} a second, {len(stops)} restarts of {options.nodes} nodes: {len(load.failures)} failed")
    print(f"answered in ms: p50 {at(0.5):.1f}, p99 {at(0.99):.1f}, longest {times[-1] * 1000:.1f}")
    print(f"seconds: stopping at most {max(stops):.1f} ({DRAIN} of draining), from start to ready at most {max(starts):.1f}")
    for failure in sorted(set(load.failures)):
        print(f"{load.failures.count(failure)} x {failure}", file=sys.stderr)
    is_late = at(0.99) > P99
    if is_late:
        print(f"p99 is {at(0.99):.1f} ms, and may be {P99}", file=sys.stderr)
    sys.exit(1 if load.failures or is_late else 0)


KEY = "bench:" + base64.b64encode(secrets.token_bytes(32)).decode()
main()
