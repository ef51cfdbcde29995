"""The work of bench/flood. Each stream sends at its own even rate, whether or not what it sent before was answered; a time counts
from when the request was due."""

import asyncio
import collections
import json
import os
import subprocess
import sys
import time

from wire import Connection, ask, free_port

PASSWORD = "copper lantern wide river"
PEOPLE = 64
READS = 200
OVERLOAD = 4
# What the flood may cost. Reads: so many times their p99 without it, or so many milliseconds; sign-ins: so much of the capacity
# goes on; memory: MiB beyond what is used idle and what the hash threads take.
SLOWER, MILLISECONDS = 2, 10
KEPT = 0.9
MEMORY, A_HASH = 32, 19


class Stream:
    """Requests at an even rate; `question(number)` gives method, path, body and token."""

    def __init__(self, port, rate, question):
        self.port, self.rate, self.question = port, rate, question
        self.idle, self.running = [], set()
        self.times = collections.defaultdict(list)

    async def run(self, seconds):
        begun = time.monotonic()
        for number in range(int(seconds * self.rate)):
            due = begun + number / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self.one(number, due))
            self.running.add(task)
            task.add_done_callback(self.running.discard)
        await asyncio.gather(*self.running)
        for connection in self.idle:
            connection.close()
        return self

    async def one(self, number, due):
        connection = self.idle.pop() if self.idle else Connection(self.port)
        try:
            status, _ = await asyncio.wait_for(connection.ask(*self.question(number)), 30)
            self.idle.append(connection)
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            status = type(error).__name__
            connection.close()
        self.times[status].append(time.monotonic() - due)

    def told(self):
        return ", ".join(f"{len(times)} x {status} (p50 {at(times, 0.5):.1f}, p99 {at(times, 0.99):.1f} ms)"
                         for status, times in sorted(self.times.items(), key=str))


def at(times, share):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def sign_in(number):
    return "POST", "/api/v1/auth/login", {"email": f"person{number % PEOPLE}@example.com", "password": PASSWORD}


async def sign_ins_at_once(port, seconds):
    """How many sign-ins a second sixteen connections get that send the next when the last is answered."""
    done, end = 0, time.monotonic() + seconds

    async def client(number):
        nonlocal done
        connection = Connection(port)
        while time.monotonic() < end:
            status, document = await connection.ask(*sign_in(number))
            if status != 200:
                raise SystemExit(f"signing in: {status} {document}")
            number, done = number + 16, done + 1
        connection.close()

    await asyncio.gather(*(client(number) for number in range(16)))
    return done / seconds


def memory(process, field):
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024


async def measure(process, port, seconds):
    while True:
        try:
            if (await ask(port, "GET", "/readyz"))[0] == 200:
                break
        except OSError:
            await asyncio.sleep(0.05)
    idle = memory(process, "VmRSS")
    for number in range(PEOPLE):
        _, _, form = sign_in(number)[:3]
        status, document = await ask(port, "POST", "/api/v1/auth/register", form)
        if status != 201:
            raise SystemExit(f"signing up: {status} {document}")
    status, document = await ask(port, *sign_in(0))
    token = json.loads(document)["access_token"]
    reading = lambda _: ("GET", "/api/v1/users/me", None, token)
    calm = await Stream(port, READS, reading).run(seconds)
    begun = time.process_time()
    capacity = await sign_ins_at_once(port, seconds)
    alone = time.process_time()
    reads, flood = Stream(port, READS, reading), Stream(port, OVERLOAD * capacity, sign_in)
    await asyncio.gather(reads.run(seconds), flood.run(seconds))
    # What sending takes of the cores is not the service's, neither with the flood nor without.
    shares = [spent / seconds / os.cpu_count() for spent in (alone - begun, time.process_time() - alone)]
    capacity_left = capacity * (1 - shares[1]) / (1 - shares[0])
    signed_in, all_sent = len(flood.times[200]), sum(map(len, flood.times.values()))
    kept = signed_in / seconds / capacity_left
    print(f"reads alone, {READS} a second:    {calm.told()}")
    print(f"sign-ins alone, 16 at once:  {capacity:.0f} a second")
    print(f"reads in the flood:          {reads.told()}")
    print(f"sign-ins, {OVERLOAD} times capacity:   {flood.told()}")
    print(f"signed in {signed_in / seconds:.0f} a second ({signed_in / seconds / capacity:.2f} of capacity, "
          f"{kept:.2f} of what sending leaves of it), refused {1 - signed_in / all_sent:.2f}; p99 of reads {at(reads.times[200], 0.99) / at(calm.times[200], 0.99):.1f} times calm")
    peak = memory(process, "VmHWM")
    print(f"memory: {idle:.0f} MiB idle, at most {peak:.0f} MiB", flush=True)
    return list(faults(calm, reads, flood, kept, peak - idle))


def faults(calm, reads, flood, kept, memory):
    """What is past its bounds."""
    for name, stream, allowed in (("alone", calm, {200}), ("in the flood", reads, {200})):
        if stream.times.keys() - allowed:
            yield f"reads {name} were answered with {sorted(stream.times, key=str)}"
    if flood.times.keys() - {200, 503}:
        yield f"sign-ins were answered with {sorted(flood.times, key=str)}"
    p99, bound = at(reads.times[200], 0.99), max(MILLISECONDS, SLOWER * at(calm.times[200], 0.99))
    if p99 > bound:
        yield f"p99 of reads in the flood is {p99:.1f} ms, and may be {bound:.1f}"
    if kept < KEPT:
        yield f"{kept:.2f} of the sign-ins go on, and {KEPT} must"
    if memory > MEMORY + A_HASH * os.cpu_count():
        yield f"the flood took {memory:.0f} MiB, and may take {MEMORY + A_HASH * os.cpu_count()}"


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
        found = asyncio.run(measure(process, port, seconds))
    finally:
        process.terminate()
        process.wait()
    for fault in found:
        print(f"error: {fault}", file=sys.stderr)
    sys.exit(1 if found else 0)


main()
