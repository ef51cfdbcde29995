"""The work of bench/soak. What the process holds by itself is told from the pages of the database's file that it maps."""

import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from million import make

sys.path.insert(0, str(pathlib.Path(__file__).parent / "trial"))
from load import Load  # noqa: E402
from stand import Postgres, Sqlite, Stand  # noqa: E402

WORKERS = 4
# People who are there from the beginning: their file is larger than what SQLite maps of it.
PEOPLE = 250_000
# Seconds that each of them waits after an answer, after the first third, in which they do not wait: what is kept for speed is full then.
PAUSE = 0.05
# Seconds between two looks at the process.
BETWEEN = 5
# MiB that the process may grow in ten minutes, and files that it may hold more in the end than after the first third.
SLOPE, FILES = 1.0, 8


class Answers:
    """Counts what came back, and keeps nothing else."""

    def __init__(self):
        self.counts, self.lock = collections.Counter(), threading.Lock()

    def add(self, entry):
        pass

    def note(self, entry):
        with self.lock:
            self.counts[entry.status] += 1


class Steady(Load):
    """The mixed use of the trials, with a rest after each answer, by people of whom nothing need be remembered."""

    pause = 0.0

    def send(self, *arguments):
        outcome = super().send(*arguments)
        time.sleep(self.pause)
        del self.people[:]
        return outcome


def look(pid):
    """Minutes on the clock, MiB of its own, MiB of files it maps, open files."""
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    own, mapped = (int(fields[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
    return time.monotonic() / 60, own, mapped, len(os.listdir(f"/proc/{pid}/fd"))


def slope(looks):
    """MiB of its own in ten minutes, by least squares."""
    minutes, sizes = [one[0] for one in looks], [one[1] for one in looks]
    mean = sum(minutes) / len(looks)
    spread = sum((minute - mean) ** 2 for minute in minutes)
    return 10 * sum((minute - mean) * size for minute, size in zip(minutes, sizes)) / spread


def soak(usher, database, folder, minutes):
    """What is wrong."""
    stand, answers, looks = Stand(usher, folder, database), Answers(), []
    try:
        make(folder / "people.jsonl", PEOPLE)
        command = [usher, "user", "import", folder / "people.jsonl", "--no-events", "--defer-indexes"]
        subprocess.run([usher, "migrate", "up"], env=stand.settings(), check=True, stdout=subprocess.DEVNULL)
        subprocess.run(command, env=stand.settings(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stand.start()
        begun = time.monotonic()
        with Steady(stand.ports(), answers, WORKERS, "soak") as load:
            while time.monotonic() - begun < minutes * 60:
                time.sleep(BETWEEN)
                looks.append(look(stand.nodes[0].process.pid))
                load.pause = PAUSE if time.monotonic() - begun > minutes * 20 else 0.0
    finally:
        stand.stop()
    name, late = type(database).__name__, looks[len(looks) // 3:]
    third, last, grown = late[0], late[-1], slope(late)
    print(f"{name}: {sum(answers.counts.values())} requests in {minutes:g} minutes, answered {dict(answers.counts)}")
    for when, (_, own, mapped, files) in (("first look", looks[0]), ("after a third", third), ("in the end", last)):
        print(f"    {when:14} {own:6.1f} MiB of its own, {mapped:6.1f} MiB of mapped files, {files} open files")
    print(f"    grows by {grown:.2f} MiB in ten minutes after the first third", flush=True)
    wrong = {status: count for status, count in answers.counts.items() if status is None or status >= 500}
    if wrong:
        yield f"{name}: answered {wrong}"
    if grown > SLOPE:
        yield f"{name}: memory grows by {grown:.2f} MiB in ten minutes, and may by {SLOPE}"
    if last[3] > third[3] + FILES:
        yield f"{name}: {third[3]} open files became {last[3]}"


def main():
    usher, postgres_bin, minutes = sys.argv[1], sys.argv[2], float(sys.argv[3])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-soak."))
    folder.chmod(0o755)
    folders = [folder / name for name in ("sqlite", "postgres")]
    for one in folders:
        one.mkdir(mode=0o755)
    databases = [Sqlite(folders[0]), Postgres(folders[1], postgres_bin)]
    with ThreadPoolExecutor() as pool:
        runs = pool.map(lambda pair: list(soak(usher, *pair, minutes)), zip(databases, folders))
        found = [fault for run in runs for fault in run]
    shutil.rmtree(folder)
    for fault in found:
        print(f"error: {fault}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
