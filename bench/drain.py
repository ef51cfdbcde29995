"""Lets people sign up while there is neither a broker nor a mail server, and times what leaves when each is there."""

import pathlib
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, str(pathlib.Path(__file__).parent / "trial"))
from load import PASSWORD, Client  # noqa: E402
from stand import Postgres, Stand, until  # noqa: E402

WORKERS = 16
# What must leave in a second at least.
EVENTS, MAILS = 500, 50
WAITING_EVENTS = "SELECT count(*) FROM outbox_events WHERE published_at IS NULL AND position IS NOT NULL"
WAITING_MAILS = "SELECT count(*) FROM outbox_mails WHERE status = 'pending'"


def sign_up(stand, people):
    """All of them; each leaves two events and a mail."""
    def some(first):
        client = Client(stand.ports())
        for number in range(first, people, WORKERS):
            form = {"email": f"p{number}@example.com", "password": PASSWORD.format(number)}
            status, body = client.ask("POST", "/api/v1/auth/register", form)
            if status != 201:
                raise SystemExit(f"a sign-up was answered {status}: {body}")

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(some, range(WORKERS)))


class Received:
    """How many lines the consumer has written; only what is new is read."""

    def __init__(self, path):
        self.path, self.read, self.count = path, 0, 0

    def __call__(self):
        if self.path.exists():
            with open(self.path, "rb") as file:
                file.seek(self.read)
                new = file.read()
            self.read += len(new)
            self.count += new.count(b"\n")
        return self.count


def timed(count, wanted, begin):
    """Seconds to the first one, and from the first to the last."""
    until(lambda: count() > 0, 120, "the first one has left")
    first, early = time.monotonic(), count()
    until(lambda: count() >= wanted, 600, f"all {wanted} have left; {count()} have")
    return first - begin, (wanted - early) / max(time.monotonic() - first, 0.001)


def tell(what, wanted, wait, rate, least):
    verdict = "enough" if rate >= least else f"TOO SLOW: at least {least}"
    print(f"{what:8} {wanted:6}   the first after {wait:5.2f} s   then {rate:7.0f} a second   ({verdict})", flush=True)
    return rate >= least


def events(stand):
    wanted = stand.database.number(WAITING_EVENTS)
    received = Received(stand.broker.path)
    begin = time.monotonic()
    stand.broker.go_on()
    return tell("events", wanted, *timed(received, wanted, begin), EVENTS)


def mails(stand):
    """The pauses after tries in vain are not what is measured: a node starts with mails that are all due."""
    node = stand.nodes[0]
    node.kill()
    stand.database.rows("UPDATE outbox_mails SET next_attempt_at = created_at WHERE status = 'pending'")
    wanted = stand.database.number(WAITING_MAILS)

    def received():
        with stand.mails.lock:
            return sum(len(mails) for mails in stand.mails.seen.values())

    stand.mails.start()
    begin = time.monotonic()
    node.start()
    return tell("mails", wanted, *timed(received, wanted, begin), MAILS)


def run(usher, postgres_bin, python, people):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-drain."))
    folder.chmod(0o755)
    stand = Stand(usher, folder, Postgres(folder, postgres_bin), broker=python)
    try:
        stand.broker.pause()
        stand.mails.stop()
        stand.start()
        sign_up(stand, people)
        unplaced = "SELECT count(*) FROM outbox_events WHERE position IS NULL"
        until(lambda: stand.database.number(unplaced) == 0, 60, "every event has its position")
        is_fast = events(stand) & mails(stand)
    finally:
        stand.stop()
    shutil.rmtree(folder)
    sys.exit(0 if is_fast else 1)


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
