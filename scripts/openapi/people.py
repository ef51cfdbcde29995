"""The people as whom scripts/contract asks: made through the API itself, by its mailbox, like anyone's account.

Operations that end a session get a person each and those that end an account one for each request, so that they leave the
shared one alone; nobody asks as `anonymous`.
Run as a program, it waits two seconds for the service to answer.
"""

import itertools
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

BASE = os.environ["CONTRACT_URL"]
ROLE = os.environ.get("CONTRACT_ROLE", "user")
PASSWORD = "a quiet Harbour 7 lanterns"
# Below REAUTH_MAX_AGE_SECONDS: the shared person counts as freshly signed in all along.
FRESH_SECONDS = 120
ENDS_A_SESSION = re.compile(r"^(POST .*/logout|POST .*/logout-all|DELETE .*/sessions/\{[^}]+\})$")
# A hundred wrong passwords in a row lock an account: they are guessed at another's than the only admin's.
GUESSES_A_PASSWORD = re.compile(r"^POST .*/(reauthenticate|change-password|change-email|terminate)$")
ENDS_AN_ACCOUNT = re.compile(r"^DELETE .*/users/me$")
numbers = itertools.count(1)


def call(method, path, body=None, token=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(BASE + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refused:
        raise RuntimeError(f"{method} {path}: {refused.code} {refused.read().decode(errors='replace')}") from refused


def mailed_token(email, page="verify-email"):
    """The token in the newest link to this page that was mailed to this address; mails leave a moment after the request."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for mail in call("GET", "/dev/mailbox.json?to=" + urllib.parse.quote(email))["items"]:
            for link in mail["links"]:
                if found := re.search(rf"/{page}[?#]token=([^&#]+)", link):
                    return urllib.parse.unquote(found[1])
        time.sleep(0.1)
    raise RuntimeError(f"no mail with a link to {page} came for {email}")


def sign_in(email, password=PASSWORD):
    return call("POST", "/api/v1/auth/login", {"email": email, "password": password})


def new_address():
    return f"contract-{os.getpid()}-{next(numbers)}@example.org"


def unverified_person():
    email = new_address()
    call("POST", "/api/v1/auth/register", {"email": email, "password": PASSWORD})
    return email


def new_person():
    email = unverified_person()
    call("POST", "/api/v1/auth/verify-email", {"token": mailed_token(email)})
    return email


def admin_token():
    return sign_in(os.environ["CONTRACT_ADMIN"], os.environ["CONTRACT_ADMIN_PASSWORD"])["access_token"]


def new_manager():
    email = new_person()
    id = sign_in(email)["user"]["id"]
    call("PUT", f"/api/v1/users/{id}/roles", {"roles": ["manager"]}, admin_token())
    return email


def wait_until_ready(seconds):
    until = time.monotonic() + seconds
    while True:
        try:
            return call("GET", "/readyz")
        except (OSError, RuntimeError) as reason:
            if time.monotonic() > until:
                raise SystemExit(f"the service did not become ready: {reason}") from reason
            time.sleep(0.2)


def ends_a_session(context):
    label = context.operation.label
    return bool(ENDS_A_SESSION.match(label) or GUESSES_A_PASSWORD.match(label))


def ends_an_account(context):
    return bool(ENDS_AN_ACCOUNT.match(context.operation.label))


def leaves_things_as_they_are(context):
    return not (ends_a_session(context) or ends_an_account(context))


def needs_nobody(context):
    operation = context.operation
    declared = operation.definition.raw.get("security", operation.schema.raw_schema.get("security"))
    return not any(declared or [])


class Bearer:
    def set(self, case, token, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


class Shared(Bearer):
    email = None

    def get(self, case, context):
        if ROLE == "admin":
            return admin_token()
        if self.email is None:
            self.email = new_manager() if ROLE == "manager" else new_person()
        return sign_in(self.email)["access_token"]


class PersonOfTheOperation(Bearer):
    """A new session for each request, of a person of the operation's own."""

    people = {}

    def get(self, case, context):
        operation = context.operation.label
        if operation not in self.people:
            self.people[operation] = new_person()
        return sign_in(self.people[operation])["access_token"]


class PersonOfTheRequest(Bearer):
    def get(self, case, context):
        return sign_in(new_person())["access_token"]


if __name__ == "__main__":
    wait_until_ready(seconds=2)
    sys.exit()

import schemathesis  # noqa: E402  (not needed to wait)

if ROLE != "anonymous":
    def provide(provider, refresh_interval, applies):
        auth = schemathesis.auth(refresh_interval=refresh_interval, retry_on=[401] if refresh_interval else None)
        auth.apply_to(applies).skip_for(needs_nobody)(provider)

    provide(PersonOfTheOperation, None, ends_a_session)
    provide(PersonOfTheRequest, None, ends_an_account)
    provide(Shared, FRESH_SECONDS, leaves_things_as_they_are)
