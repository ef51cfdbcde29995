"""The ledger check: compares what people were told with what is there. The invariants are those of docs/reliability.md."""

import collections
import subprocess
import time

from load import ACKED, REFUSED, UNKNOWN, Client
from stand import ADMIN

# What an acknowledged request leaves: the action in the audit trail, and the one event.
TRACES = {
    "register": ("register", "user.created"),
    "login": ("login", "user.logged_in"),
    "logout": ("logout", "user.logged_out"),
    "change_password": ("change_password", "user.password_changed"),
    "rename": ("update_me", "user.updated"),
}
# An answer may take so long while something is broken: five seconds, and what the way there and back takes.
LONGEST = 5.25
PROBLEM = "application/problem+json"
# A refresh token may come twice for ten seconds; by the clock of this machine, not by one that is turned.
GRACE = 12


class Findings:
    """What is wrong, by invariant; a few examples of each are enough."""

    def __init__(self):
        self.counts, self.examples = collections.Counter(), collections.defaultdict(list)

    def add(self, invariant, what):
        self.counts[invariant] += 1
        if len(self.examples[invariant]) < 5:
            self.examples[invariant].append(what)

    def must(self, holds, invariant, what):
        if not holds:
            self.add(invariant, what)


def check(stand, load, journal, findings):
    """Checks everybody of one load, and what holds of the database as a whole."""
    answers(load, journal, findings)
    traces(stand, load, journal, findings)
    tables(stand, findings)
    client = Client(stand.ports())
    for person in load.people:
        people(stand, client, person, findings)
    trail(stand, findings)


def finish(stand, loads, findings, drained_within):
    """Checks once, after all rounds, what takes its time: mails that a killed node had in hand are sent by the next one 45
    seconds later."""
    drain(stand, findings, drained_within)
    for load in loads:
        mails(stand, load, findings)
    deliveries(stand, findings)


def again(stand, load, findings):
    """Checks the people of an earlier load once more: nothing that came later may have undone what they were told."""
    client = Client(stand.ports())
    for person in load.people:
        person.live = []
        people(stand, client, person, findings)


def answers(load, journal, findings):
    """I13: every answer is 2xx, 4xx or 503, in time, and never an internal error; a refusal is a problem, and 503 says when to ask again."""
    for entry in journal.entries:
        if not entry.id.startswith(load.name + "."):
            continue
        if entry.status is not None:
            findings.must(entry.status < 500 or entry.status == 503, "I13", f"{entry.op} {entry.id}: {entry.status} {entry.code}")
            findings.must(entry.status < 400 or entry.kind == PROBLEM, "I13", f"{entry.op} {entry.id}: {entry.status} as {entry.kind}")
            findings.must(entry.status != 503 or entry.retry_after.isdigit(), "I13", f"{entry.op} {entry.id}: 503 without Retry-After")
        findings.must(entry.took is None or entry.took <= LONGEST, "I13", f"{entry.op} {entry.id}: {entry.took:.1f} s, {entry.status}")


def traces(stand, load, journal, findings):
    """I4: one audit row and one event of what was acknowledged; of what is unknown both or neither; of the refused nothing."""
    like = f"request_id LIKE '{load.name}.%'"
    audit = collections.Counter(
        {(id, action): int(count) for id, action, count in stand.database.rows(
            f"SELECT request_id, action, count(*) FROM audit_log WHERE outcome = 'success' AND {like} GROUP BY request_id, action")})
    events = collections.Counter(
        {(id, kind): int(count) for id, kind, count in stand.database.rows(
            f"SELECT request_id, type, count(*) FROM outbox_events WHERE {like} GROUP BY request_id, type")})
    for entry in journal.entries:
        if entry.op not in TRACES or not entry.id.startswith(load.name + "."):
            continue
        action, kind = TRACES[entry.op]
        seen = (audit[entry.id, action], events[entry.id, kind])
        allowed = {ACKED: [(1, 1)], REFUSED: [(0, 0)], UNKNOWN: [(0, 0), (1, 1)]}[entry.outcome]
        findings.must(seen in allowed, "I4", f"{entry.outcome} {entry.op} {entry.id}: {seen[0]} audit rows, {seen[1]} events")


def tables(stand, findings):
    """What must hold of the rows alone."""
    nothing = {
        "I2": ["SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM credentials c WHERE c.user_id = u.id)",
               "SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id)",
               "SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT 1 FROM user_keys k WHERE k.user_id = u.id)",
               "SELECT count(*) FROM credentials c WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = c.user_id)"],
        "I7": ["SELECT count(*) FROM (SELECT session_id FROM refresh_tokens WHERE used_at IS NULL GROUP BY session_id HAVING count(*) > 1) t"],
        "I9": ["SELECT count(*) FROM (SELECT email_index FROM users GROUP BY email_index HAVING count(*) > 1) t"],
    }
    for invariant, questions in nothing.items():
        for question in questions:
            count = stand.database.number(question)
            findings.must(count == 0, invariant, f"{count}: {question}")
    admins = "SELECT count(*) FROM users u JOIN user_roles r ON r.user_id = u.id WHERE r.role = 'admin' AND u.status = 'active'"
    findings.must(stand.database.number(admins) >= 1, "I8", "no active admin is left")


def made_once(stand, findings):
    """What the first start makes, however many start."""
    for table in ("users", "signing_keys", "vault_keys", "user_roles WHERE role = 'admin'"):
        count = stand.database.number(f"SELECT count(*) FROM {table}")
        findings.must(count == 1, "F24", f"{count} in {table}")
    repeated = stand.database.number("SELECT count(*) - count(DISTINCT version) FROM seaql_migrations")
    findings.must(repeated == 0, "F24", f"{repeated} migrations ran again")


def every_node_signs(stand, findings):
    """Whoever is ready signs a token at once, and it opens every other node."""
    form = {"email": ADMIN[0], "password": ADMIN[1]}
    for node in stand.nodes:
        status, body = Client([node.port]).ask("POST", "/api/v1/auth/login", form)
        findings.must(status == 200, "F24", f"node {node.number} is ready and answers a sign-in {status}")
        taken = [Client([port]).ask("GET", "/api/v1/users/me", token=body.get("access_token"))[0] for port in stand.ports()]
        findings.must(set(taken) == {200}, "F24", f"the token of node {node.number} is answered {taken}")


def sign_in(client, email, password):
    """Whether it opens; asked again when the service is still busy."""
    for _ in range(20):
        status, body = client.ask("POST", "/api/v1/auth/login", {"email": email, "password": password})
        if status in (200, 401):
            return status == 200, body
        time.sleep(0.25)
    return None, {}


def people(stand, client, person, findings):
    """I1 to I3, I10: who was acknowledged can sign in by the right password only; what was ended stays ended."""
    opens = {password: sign_in(client, person.email, password) for password in sorted(person.passwords)}
    count = sum(bool(ok) for ok, _ in opens.values())
    if person.exists:
        findings.must(count == 1, "I1", f"{person.email}: {count} of {len(opens)} possible passwords open")
    elif person.exists is None:
        findings.must(count <= 1, "I2", f"{person.email}: {count} passwords open")
    else:
        findings.must(count == 0, "I3", f"{person.email} was refused, and is there")
    for password in person.dead_passwords:
        findings.must(not sign_in(client, person.email, password)[0], "I10", f"{person.email}: an old password opens again")
    for ok, body in opens.values():
        if ok and person.exists:
            name = body["user"]["full_name"]
            findings.must(name in person.names, "I1", f"{person.email}: is called {name}, not {person.names}")
    for session in person.ended:
        status, _ = client.ask("GET", "/api/v1/users/me", token=session.access)
        findings.must(status == 401, "I10", f"{person.email}: an ended session answers {status}")
        status, _ = client.ask("POST", "/api/v1/auth/refresh", {"refresh_token": session.refresh})
        findings.must(status == 401, "I10", f"{person.email}: the refresh token of an ended session answers {status}")
    for session in person.live if person.is_settled else []:
        status, body = client.ask("GET", "/api/v1/users/me", token=session.access)
        # A token of a clock that was set back since is not valid yet.
        if body.get("code") == "token_expired" or getattr(stand, "clock", None) and body.get("code") == "token_invalid":
            status, _ = client.ask("POST", "/api/v1/auth/refresh", {"refresh_token": session.refresh})
        findings.must(status == 200, "I1", f"{person.email}: a live session answers {status}")
    spent(client, person, findings)


def spent(client, person, findings):
    """I10: a refresh token that was exchanged is good for nothing, whatever the clock did. Showing it ends its session, so this
    comes last, and one of each session is enough."""
    for session in person.live + person.open + person.ended:
        old = [token for token, at in session.spent if time.monotonic() - at > GRACE]
        for token in old[-1:]:
            status, _ = client.ask("POST", "/api/v1/auth/refresh", {"refresh_token": token})
            findings.must(status == 401, "I10", f"{person.email}: a spent refresh token answers {status}")


def drain(stand, findings, within):
    """I12: no mail, request or event stays where it is."""
    waiting = ["SELECT count(*) FROM outbox_mails WHERE status = 'pending'", "SELECT count(*) FROM mail_requests"]
    if stand.broker:
        waiting.append("SELECT count(*) FROM outbox_events WHERE published_at IS NULL")
    until = time.time() + within
    left = None
    while time.time() < until:
        left = [stand.database.number(question) for question in waiting]
        if not any(left):
            return
        time.sleep(0.25)
    findings.add("I12", f"after {within} s there wait: {left}")


def mails(stand, load, findings):
    """I6: a mail for each acknowledged sign-up; more than one only around a fault."""
    if not stand.mails:
        return
    for person in load.people:
        count = stand.mails.count(person.email)
        if person.exists:
            findings.must(count >= 1, "I6", f"{person.email}: no mail")
        findings.must(count <= 1 + stand.faults, "I6", f"{person.email}: {count} copies of a mail")


def deliveries(stand, findings):
    """I5: what was delivered is what is in the outbox, no event comes again but around a fault, and each person's events come in
    the order of their sequence."""
    if not stand.broker:
        return
    def outbox():
        return {id for (id,) in stand.database.rows(f"SELECT {stand.database.hex('id')} FROM outbox_events")}

    wanted = outbox()
    received = stand.broker.wait_for(wanted)
    findings.must(wanted <= received.ids, "I5", f"{len(wanted - received.ids)} events are missing")
    surplus = received.ids - outbox()
    findings.must(not surplus, "I5", f"{len(surplus)} events are not in the outbox")
    for id, count in received.copies.items():
        findings.must(count <= 1 + stand.faults, "I5", f"{id}: {count} copies of an event")
    for what in received.out_of_order:
        findings.add("I5", what)


def trail(stand, findings):
    """I11: the audit trail verifies, and nothing waits to be sealed."""
    until = time.time() + 30
    while stand.database.number("SELECT count(*) FROM audit_log WHERE sequence IS NULL") and time.time() < until:
        time.sleep(0.25)
    done = subprocess.run([stand.usher, "audit", "verify"], env=stand.settings(), capture_output=True, text=True)
    findings.must(done.returncode == 0, "I11", (done.stdout + done.stderr)[-300:])
