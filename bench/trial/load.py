"""People who use the service while it is being broken, and a journal of what they were told.

Each person belongs to one worker, so that what is known of them is exact. Who gets an answer that leaves the outcome open
(no answer, 503, 500) is left alone until the ledger is checked: then either outcome is right, but nothing in between."""

import http.client
import itertools
import json
import random
import threading
import time

PASSWORD = "violet kettle anchors marsh {}"
ACKED, REFUSED, UNKNOWN = "acked", "refused", "unknown"
# How long a client waits: more than any answer may take.
PATIENCE = 15


class Entry:
    """One request: what was asked, and what came back."""

    __slots__ = ("id", "op", "email", "began", "took", "status", "code", "kind", "retry_after")

    def __init__(self, id, op, email):
        self.id, self.op, self.email = id, op, email
        self.began, self.took, self.status, self.code = time.time(), None, None, None
        self.kind = self.retry_after = ""

    @property
    def outcome(self):
        if self.status is None or self.status >= 500:
            return UNKNOWN
        return ACKED if self.status < 300 else REFUSED


class Journal:
    """All requests of a trial, in the order in which they were sent."""

    def __init__(self, path):
        self.entries, self.file, self.lock = [], open(path, "a"), threading.Lock()

    def add(self, entry):
        with self.lock:
            self.entries.append(entry)
            self.file.write(f"{entry.began:.6f} asked {entry.id} {entry.op} {entry.email}\n")
            self.file.flush()

    def note(self, entry):
        with self.lock:
            self.file.write(f"{time.time():.6f} answered {entry.id} {entry.status} {entry.code} {entry.took:.4f}\n")
            self.file.flush()


class Person:
    """What must hold of somebody, as far as the answers tell."""

    def __init__(self, email, password):
        self.email = email
        self.exists = None  # True, False, or None for nobody knows
        self.passwords, self.dead_passwords = {password}, set()
        self.names = {None}
        self.live, self.ended, self.open = [], [], []  # sessions: certainly live, certainly ended, unclear
        self.is_settled = True


class Session:
    def __init__(self, body):
        self.access, self.refresh = body["access_token"], body["refresh_token"]
        self.spent = []


class Client:
    """Speaks to one node at a time, and goes to the next one when that is gone."""

    def __init__(self, ports):
        self.ports, self.turn, self.connection = ports, random.randrange(len(ports)), None
        self.kind = self.retry_after = ""  # of the last answer

    def connect(self):
        self.turn += 1
        port = self.ports[self.turn % len(self.ports)]
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.connection.connect()

    def ask(self, method, path, body=None, token=None, request_id=None, headers=None):
        """Status and body; None for the status when no answer came."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if request_id:
            sent["X-Request-Id"] = request_id
        try:
            if self.connection is None:
                self.connect()
            self.connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            reply = self.connection.getresponse()
            text = reply.read()
            if reply.will_close:
                self.close()
            self.kind = reply.headers.get("content-type", "")
            self.retry_after = reply.headers.get("retry-after", "")
            return reply.status, json.loads(text) if "json" in self.kind and text else {}
        except (OSError, http.client.HTTPException, ValueError):
            self.close()
            return None, {}

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class Load:
    """Workers who sign up, sign in, refresh, sign out, and change passwords and names until told to stop."""

    numbers = itertools.count()

    def __init__(self, ports, journal, workers, name):
        self.journal, self.name = journal, name
        self.people, self.stopped = [], threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(Client(ports), seed), daemon=True) for seed in range(workers)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def work(self, client, seed):
        dice, mine = random.Random(f"{self.name} {seed}"), []
        while not self.stopped.is_set():
            known = [person for person in mine if person.is_settled and person.exists]
            if not known or dice.random() < 0.2:
                mine.append(self.register(client))
            else:
                self.act(client, dice, dice.choice(known[-20:]))
            if client.connection is None:
                time.sleep(0.02)

    def send(self, client, op, person, method, path, body, token=None):
        entry = Entry(f"{self.name}.{next(self.numbers)}", op, person.email)
        self.journal.add(entry)
        begin = time.perf_counter()
        entry.status, body = client.ask(method, path, body, token, entry.id)
        entry.took, entry.code = time.perf_counter() - begin, body.get("code")
        entry.kind, entry.retry_after = client.kind, client.retry_after
        self.journal.note(entry)
        if entry.outcome == UNKNOWN:
            person.is_settled = False
        return entry.outcome, body

    def register(self, client):
        number = next(self.numbers)
        person = Person(f"p{number}.{self.name}@example.com", PASSWORD.format(number))
        self.people.append(person)
        body = {"email": person.email, "password": PASSWORD.format(number)}
        outcome, _ = self.send(client, "register", person, "POST", "/api/v1/auth/register", body)
        person.exists = {ACKED: True, REFUSED: False, UNKNOWN: None}[outcome]
        return person

    def act(self, client, dice, person):
        if not person.live:
            self.login(client, person)
            return
        session = dice.choice(person.live)
        action = dice.choices([self.login, self.refresh, self.logout, self.change_password, self.rename, self.me],
                              [2, 6, 2, 1, 3, 6])[0]
        if action == self.login:
            self.login(client, person)
        else:
            action(client, person, session)

    def login(self, client, person):
        body = {"email": person.email, "password": next(iter(person.passwords))}
        outcome, body = self.send(client, "login", person, "POST", "/api/v1/auth/login", body)
        if outcome == ACKED:
            person.live.append(Session(body))

    def refresh(self, client, person, session):
        body = {"refresh_token": session.refresh}
        outcome, body = self.send(client, "refresh", person, "POST", "/api/v1/auth/refresh", body)
        if outcome == ACKED:
            session.spent.append((session.refresh, time.monotonic()))
            session.access, session.refresh = body["access_token"], body["refresh_token"]
        else:
            # Used or not: within the grace window the same token still answers, later it may end the session.
            person.live.remove(session)
            person.open.append(session)

    def logout(self, client, person, session):
        outcome, _ = self.send(client, "logout", person, "POST", "/api/v1/auth/logout", {}, session.access)
        person.live.remove(session)
        (person.ended if outcome == ACKED else person.open).append(session)

    def change_password(self, client, person, session):
        old, new = next(iter(person.passwords)), PASSWORD.format(f"new {next(self.numbers)}")
        body = {"current_password": old, "new_password": new}
        outcome, _ = self.send(client, "change_password", person, "POST", "/api/v1/auth/change-password", body, session.access)
        others = [other for other in person.live if other is not session]
        if outcome == ACKED:
            person.passwords, person.live = {new}, [session]
            person.dead_passwords.add(old)
            person.ended += others
        elif outcome == UNKNOWN:
            person.passwords, person.live = {old, new}, [session]
            person.open += others

    def rename(self, client, person, session):
        name = f"Person {next(self.numbers)}"
        outcome, _ = self.send(client, "rename", person, "PATCH", "/api/v1/users/me", {"full_name": name}, session.access)
        if outcome == ACKED:
            person.names = {name}
        elif outcome == UNKNOWN:
            person.names = person.names | {name}

    def me(self, client, person, session):
        self.send(client, "me", person, "GET", "/api/v1/users/me", None, session.access)
