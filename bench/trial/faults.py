"""The faults: each breaks something of a stand and mends it again. `FAULTS` says on which stand and how often."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Callable

from load import Client
from stand import ADMIN, until


@dataclass
class Fault:
    """How something is broken, what that needs, and how often it is done: in the short form and in the long one."""

    strike: Callable
    short: int
    long: int
    on: str = "sqlite postgres"
    nodes: int = 1
    redis: bool = False
    broker: bool = False
    clock: bool = False
    small_disk: bool = False
    # Seconds for what a killed node had claimed and for a try or two.
    drained_within: int = 75
    # The promise of docs/reliability.md on how soon it is over: its name, and seconds.
    over_within: tuple[str, float] | None = None


def answers_again(stand):
    """Seconds until every node signs somebody in."""
    def works(port):
        return Client([port]).ask("POST", "/api/v1/auth/login", {"email": ADMIN[0], "password": ADMIN[1]})[0] == 200

    return max(until(lambda: works(port), 60, f"a sign-in on port {port}") for port in stand.ports())


def kill_node(stand, dice, _):
    node = dice.choice(stand.nodes)
    node.kill()
    time.sleep(dice.uniform(0, 0.3))
    return node.start()


def restart_postgres(stand, dice, _):
    stand.database.restart()
    return answers_again(stand)


def crash_postgres(stand, dice, _):
    stand.database.crash()
    return answers_again(stand)


def pause_postgres(stand, dice, is_long):
    stand.database.pause()
    time.sleep(20 if is_long else 8)
    stand.database.go_on()
    return answers_again(stand)


def stop_redis(stand, dice, is_long):
    stand.redis.stop()
    time.sleep(60 if is_long else 3)
    stand.redis.start()
    return answers_again(stand)


def flush_redis(stand, dice, _):
    for _ in range(20):
        stand.redis.ask("FLUSHALL")
        time.sleep(0.1)
    return answers_again(stand)


def slow_redis(stand, dice, is_long):
    for _ in range(20 if is_long else 3):
        stand.redis.ask("CLIENT PAUSE 1000 ALL")
        time.sleep(1.1)
    return answers_again(stand)


def stop_mails(stand, dice, is_long):
    stand.mails.stop()
    time.sleep(600 if is_long else 5)
    stand.mails.start()
    return answers_again(stand)


def stop_broker(stand, dice, is_long):
    stand.broker.pause()
    time.sleep(600 if is_long else 8)
    stand.broker.go_on()
    return answers_again(stand)


def turn_clock(stand, dice, _):
    for seconds in (3600, -3600, 86400, 0):
        stand.clock.write_text(f"{seconds:+d}")
        time.sleep(1)
    return answers_again(stand)


def fill_disk(stand, dice, _):
    filler = stand.database.path.parent / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            pass
    time.sleep(2)
    status, _ = Client(stand.ports()).ask("GET", "/livez")
    if status != 200:
        raise SystemExit(f"with a full disk /livez answers {status}")
    filler.unlink()
    seconds = answers_again(stand)
    sound = stand.database.rows("PRAGMA integrity_check")
    if sound != [("ok",)]:
        raise SystemExit(f"the file is damaged: {sound[:3]}")
    return seconds


READY = ("F1", 2)
SERVES = ("F4", 5)
FAULTS = {
    "node killed": Fault(kill_node, 10, 200, over_within=READY),
    "one of two nodes killed": Fault(kill_node, 5, 100, on="postgres", nodes=2, over_within=READY),
    "PostgreSQL restarted": Fault(restart_postgres, 2, 5, on="postgres", nodes=2, over_within=SERVES),
    "PostgreSQL crashed": Fault(crash_postgres, 2, 20, on="postgres", nodes=2, over_within=SERVES),
    "PostgreSQL paused": Fault(pause_postgres, 1, 5, on="postgres", nodes=2, over_within=SERVES),
    "Redis stopped": Fault(stop_redis, 1, 5, on="postgres", nodes=2, redis=True),
    "Redis flushed": Fault(flush_redis, 1, 5, on="postgres", nodes=2, redis=True),
    "Redis slow": Fault(slow_redis, 1, 5, on="postgres", nodes=2, redis=True),
    "mail server gone": Fault(stop_mails, 1, 1, drained_within=180),
    "broker gone": Fault(stop_broker, 1, 1, broker=True),
    "node killed, with a broker": Fault(kill_node, 3, 50, broker=True),
    "clock turned": Fault(turn_clock, 1, 5, clock=True),
    "disk full": Fault(fill_disk, 1, 10, on="sqlite", small_disk=True),
}


def fake_clock(stand, library):
    """Lets a file say by how much the nodes' clock is off; time that passes is left alone."""
    stand.clock = stand.folder / "clock"
    stand.clock.write_text("+0")
    stand.extra |= {
        "LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(stand.clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def small_disk(folder, size="96m"):
    """A file system of its own, in memory."""
    place = folder / "small"
    place.mkdir()
    as_root = [] if os.getuid() == 0 else ["sudo"]
    subprocess.run([*as_root, "mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "tmpfs", place], check=True)
    return place


def remove_disk(place):
    as_root = [] if os.getuid() == 0 else ["sudo"]
    subprocess.run([*as_root, "umount", "--lazy", place], check=True)
