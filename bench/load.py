"""The work of bench/load. A connection waits for an answer before it sends the next request, as a person's program does."""

import asyncio
import json
import os
import subprocess
import sys
import time

from wire import Connection, ask, free_port

PASSWORD = "copper lantern wide river"
PEOPLE = 64
# Connections at once, and the milliseconds within which 99 of a hundred reads are answered; none where it is only measured.
LOADS = [(100, 200), (1000, None)]
# One of so many requests is a sign-in: some twenty a second, less than two cores can hash.
SIGN_INS = 50
# What a person's program waits between two requests on each of the many connections, in seconds.
PAUSES = {100: 0.1, 1000: 1.0}


def sign_in(number):
    return "POST", "/api/v1/auth/login", {"email": f"person{number % PEOPLE}@example.com", "password": PASSWORD}


class Load:
    def __init__(self, port, tokens, connections):
        self.port, self.tokens, self.connections = port, tokens, connections
        self.reads, self.sign_ins, self.failures = [], [], []

    async def run(self, seconds):
        end = time.monotonic() + seconds
        await asyncio.gather(*(self.client(number, end) for number in range(self.connections)))
        return self

    async def client(self, number, end):
        connection, pause = Connection(self.port), PAUSES[self.connections]
        await asyncio.sleep(pause * number / self.connections)
        sent = number
        while time.monotonic() < end:
            sent += 1
            is_read = sent % SIGN_INS != 0
            reading = ("GET", "/api/v1/users/me", None, self.tokens[number % PEOPLE])
            begun = time.monotonic()
            try:
                status, _ = await asyncio.wait_for(connection.ask(*(reading if is_read else sign_in(number))), 30)
                if status != 200:
                    self.failures.append(f"{'a read' if is_read else 'a sign-in'}: {status}")
            except (OSError, EOFError, asyncio.TimeoutError) as error:
                self.failures.append(repr(error))
                connection.close()
            took = time.monotonic() - begun
            (self.reads if is_read else self.sign_ins).append(took)
            await asyncio.sleep(max(0.0, pause - took))
        connection.close()

    def told(self, seconds):
        shown = ", ".join(f"{len(times) / seconds:.0f} {name} a second (p50 {at(times, 0.5):.1f}, p99 {at(times, 0.99):.1f} ms)"
                          for name, times in (("reads", self.reads), ("sign-ins", self.sign_ins)))
        return f"{self.connections} connections: {shown}, {len(self.failures)} failed"


def at(times, share):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


async def measure(port, seconds):
    for _ in range(600):
        try:
            if (await ask(port, "GET", "/readyz"))[0] == 200:
                break
        except OSError:
            pass
        await asyncio.sleep(0.05)
    tokens = []
    for number in range(PEOPLE):
        await ask(port, "POST", "/api/v1/auth/register", sign_in(number)[2])
        status, document = await ask(port, *sign_in(number))
        if status != 200:
            raise SystemExit(f"signing in: {status} {document}")
        tokens.append(json.loads(document)["access_token"])
    found = []
    for connections, bound in LOADS:
        load = await Load(port, tokens, connections).run(seconds)
        print(load.told(seconds), flush=True)
        found += [f"{load.failures.count(what)} x {what}" for what in sorted(set(load.failures))]
        p99 = at(load.reads, 0.99)
        if bound and p99 > bound:
            found.append(f"p99 of reads is {p99:.1f} ms with {connections} connections, and may be {bound}")
    return found


def main():
    usher, folder, url, seconds = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
    port = free_port()
    settings = dict(
        os.environ, DATABASE_URL=url, DATA_DIR=folder, LISTEN=f"127.0.0.1:{port}", PUBLIC_URL=f"http://127.0.0.1:{port}",
        LOG_LEVEL="error", REQUIRE_EMAIL_VERIFICATION="false", ADMIN_EMAIL="ada@example.org", ADMIN_PASSWORD=PASSWORD,
        **{f"RATE_LIMIT_{name}": "off" for name in ("LOGIN", "REGISTER", "MAIL", "REFRESH", "API", "RECIPIENT", "ACCOUNT")},
    )
    print(f"--- {url.split(':')[0]}", flush=True)
    process = subprocess.Popen([usher, "serve"], env=settings, stdout=subprocess.DEVNULL)
    try:
        found = asyncio.run(measure(port, seconds))
    finally:
        process.terminate()
        process.wait()
    for fault in found:
        print(f"error: {fault}", file=sys.stderr)
    sys.exit(1 if found else 0)


main()
