"""Two nodes are asked for the same thing at the same moment; exactly one may win."""

import re
import threading

from load import PASSWORD, Client
from stand import ADMIN, until


def at_once(stand, requests):
    """Sends all requests together, by turns to each node; the answers in order."""
    gate, answers = threading.Barrier(len(requests)), [None] * len(requests)

    def send(place, request):
        client = Client([stand.ports()[place % len(stand.ports())]])
        client.connect()
        gate.wait()
        answers[place] = client.ask(*request)

    threads = [threading.Thread(target=send, args=pair) for pair in enumerate(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def statuses(answers):
    return sorted(status or 0 for status, _ in answers)


def login(stand, email, password):
    return Client(stand.ports()).ask("POST", "/api/v1/auth/login", {"email": email, "password": password})[1]


def race(stand, round, findings):
    """One of each."""
    email, password = f"race{round}@example.com", PASSWORD.format(round)
    spellings = [email, email.upper(), email.title()] * 4
    forms = [("POST", "/api/v1/auth/register", {"email": one, "password": password}) for one in spellings]
    got = statuses(at_once(stand, forms))
    findings.must(got == [201] + [409] * (len(forms) - 1), "I9", f"one address at once: {got}")

    until(lambda: stand.mails.link(email), 30, "the mail of a sign-up")
    token = re.search(r"token=([\w-]+)", stand.mails.link(email)).group(1)
    got = at_once(stand, [("POST", "/api/v1/auth/verify-email", {"token": token})] * 8)
    first = [body for status, body in got if status == 200 and not body.get("already_verified")]
    findings.must(statuses(got) == [200] * 8 and len(first) == 1, "I7", f"one link at once: {statuses(got)}, {len(first)} first uses")

    tokens = login(stand, email, password)
    got = at_once(stand, [("POST", "/api/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})] * 20)
    pairs = {body.get("refresh_token") for status, body in got if status == 200}
    findings.must(statuses(got) == [200] * 20 and len(pairs) == 1, "I7", f"one refresh token at once: {statuses(got)}, {len(pairs)} pairs")

    last_admin(stand, email, password, findings)


def last_admin(stand, email, password, findings):
    """Two admins take the role from each other."""
    first = login(stand, *ADMIN)
    path = "/api/v1/users/{}/roles".format
    other = login(stand, email, password)["user"]["id"]
    made = Client(stand.ports()).ask("PUT", path(other), {"roles": ["admin"]}, first["access_token"])[0]
    findings.must(made == 200, "I8", f"a second admin: {made}")
    second = login(stand, email, password)
    got = at_once(stand, [
        ("PUT", path(other), {"roles": ["user"]}, first["access_token"]),
        ("PUT", path(first["user"]["id"]), {"roles": ["user"]}, second["access_token"]),
    ])
    findings.must(statuses(got)[0] == 200 and statuses(got)[1] in (401, 403, 409), "I8", f"two admins at once: {statuses(got)}")
    if got[1][0] == 200:
        # The one of the settings lost; the next round begins with both.
        token = login(stand, email, password)["access_token"]
        Client(stand.ports()).ask("PUT", path(first["user"]["id"]), {"roles": ["admin"]}, token)
        token = login(stand, *ADMIN)["access_token"]
        Client(stand.ports()).ask("PUT", path(other), {"roles": ["user"]}, token)
