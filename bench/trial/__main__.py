"""Breaks what the service stands on while people use it, and reports what was lost. Started by bench/faults."""

import argparse
import pathlib
import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import ledger
from faults import FAULTS, Fault, fake_clock, remove_disk, small_disk
from ledger import Findings
from load import Journal, Load
from races import race
from stand import Postgres, Sqlite, Stand

WORKERS = 16
RACES = "two nodes race"
STARTS = "five nodes start at once"
# Seconds for five nodes on two cores, the migration included.
READY_WITHIN = 10
COLUMNS = "{:30} {:10} {:>6} {:>12} {:>8} {:>8} {:>6} {:>8} {:>10} {:>10}"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--usher", required=True)
    parser.add_argument("--postgres-bin", required=True)
    parser.add_argument("--python", required=True, help="a Python that has confluent-kafka")
    parser.add_argument("--faketime", required=True, help="libfaketime.so.1")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


class Trial:
    """One fault on one database."""

    def __init__(self, given, name, fault, backend):
        self.given, self.name, self.fault, self.backend = given, name, fault, backend
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-trial."))
        self.folder.chmod(0o755)
        self.findings, self.recoveries, self.loads = Findings(), [], []
        self.journal = Journal(self.folder / "journal.txt")
        self.disk = small_disk(self.folder) if fault.small_disk else None

    def stand(self):
        database = Sqlite(self.disk or self.folder) if self.backend == "sqlite" else Postgres(self.folder, self.given.postgres_bin)
        stand = Stand(self.given.usher, self.folder, database, self.fault.nodes, self.fault.redis,
                      self.given.python if self.fault.broker else None)
        if self.fault.clock:
            fake_clock(stand, self.given.faketime)
        return stand

    def run(self):
        rounds = self.given.rounds or (self.fault.long if self.given.long else self.fault.short)
        stand = self.stand()
        try:
            stand.start()
            dice = random.Random(self.name)
            for number in range(rounds):
                self.round(stand, dice, number)
            for load in self.loads[:-1][-20:]:
                # What was right after its own round must be right after all of them.
                ledger.again(stand, load, self.findings)
            ledger.finish(stand, self.loads, self.findings, self.fault.drained_within)
        finally:
            stand.stop()
            if self.disk:
                remove_disk(self.disk)
        return self.report(rounds)

    def round(self, stand, dice, number):
        stand.faults += 1
        with Load(stand.ports(), self.journal, WORKERS, f"r{number}") as load:
            time.sleep(dice.uniform(0.2, 3))
            self.recoveries.append(self.fault.strike(stand, dice, self.given.long))
            time.sleep(0.5)
        if self.fault.over_within:
            name, seconds = self.fault.over_within
            took = self.recoveries[-1]
            self.findings.must(took <= seconds, name, f"round {number}: over after {took:.2f} s, not {seconds}")
        self.loads.append(load)
        ledger.check(stand, load, self.journal, self.findings)

    def report(self, rounds):
        entries = self.journal.entries
        count = {what: sum(entry.outcome == what for entry in entries) for what in (ledger.ACKED, ledger.UNKNOWN)}
        found = self.findings.counts
        answered = [entry.took for entry in entries if entry.status is not None]
        print(COLUMNS.format(
            self.name, self.backend, rounds, count[ledger.ACKED], count[ledger.UNKNOWN], found["I1"] + found["I10"], found["I4"] + found["I7"],
            sum(found.values()), f"{max(answered):.2f} s", f"{max(self.recoveries):.2f} s"), flush=True)
        return self.close()

    def close(self):
        for invariant, examples in sorted(self.findings.examples.items()):
            print(f"    {invariant}: {self.findings.counts[invariant]} times, as: " + "\n        ".join(examples))
        if self.findings.counts or self.given.keep:
            print(f"    journal and logs: {self.folder}")
        else:
            shutil.rmtree(self.folder)
        return not self.findings.counts


class Races(Trial):
    def run(self):
        rounds = self.given.rounds or (200 if self.given.long else 10)
        stand = self.stand()
        try:
            stand.start()
            for number in range(rounds):
                race(stand, number, self.findings)
            ledger.tables(stand, self.findings)
            ledger.trail(stand, self.findings)
        finally:
            stand.stop()
        print(f"{RACES}: {rounds} rounds, {sum(self.findings.counts.values())} wrong", flush=True)
        return self.close()


class Starts(Trial):
    """Five nodes start at once on an empty database: everything is made once, and all are ready in time."""

    def run(self):
        rounds = self.given.rounds or (20 if self.given.long else 3)
        stand = self.stand()
        try:
            for number in range(rounds):
                stand.database.use_new(f"empty{number}")
                with ThreadPoolExecutor() as pool:
                    self.recoveries.append(max(pool.map(lambda node: node.start(), stand.nodes)))
                ledger.every_node_signs(stand, self.findings)
                ledger.made_once(stand, self.findings)
                for node in stand.nodes:
                    node.kill()
        finally:
            stand.stop()
        self.findings.must(max(self.recoveries) <= READY_WITHIN, "F24", f"ready after {max(self.recoveries):.1f} s")
        print(f"{STARTS}: {rounds} rounds, ready within {max(self.recoveries):.2f} s, {sum(self.findings.counts.values())} wrong", flush=True)
        return self.close()


def main():
    given = arguments()
    print(COLUMNS.format("fault", "database", "rounds", "acknowledged", "unknown", "lost", "doubled", "findings", "slowest", "recovered"))
    is_sound = True
    for name, fault in FAULTS.items():
        if given.only and name not in given.only:
            continue
        for backend in fault.on.split():
            is_sound &= Trial(given, name, fault, backend).run()
    if not given.only or RACES in given.only:
        is_sound &= Races(given, RACES, FAULTS["one of two nodes killed"], "postgres").run()
    if not given.only or STARTS in given.only:
        is_sound &= Starts(given, STARTS, Fault(None, 3, 20, on="postgres", nodes=5), "postgres").run()
    sys.exit(0 if is_sound else 1)


if __name__ == "__main__":
    main()
