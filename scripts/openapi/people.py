"""The people as whom scripts/contract asks: made through the API itself, by its mailbox, like anyone's account.

An operation that ends a session or an account gets an account of its own for each request; the rest share one.
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

BASE = os.environ["USHER_CONTRACT_URL"]
ROLE = os.environ.get("USHER_CONTRACT_ROLE", "user")
PASSWORD = "a quiet Harbour 7 lanterns"
# Below REAUTH_MAX_AGE_SECONDS: the shared person counts as freshly signed in all along.
FRESH_SECONDS = 120
ENDS_A_SESSION = re.compile(
    r"^(POST .*/(logout|logout-all|terminate|change-password|change-email|auth/sessions|revoke-sessions)"
    r"|DELETE .*/(users/me|sessions/\{[^}]+\}))$"
)
numbers = itertools.count(1)


def call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refused:
        raise RuntimeError(f"{method} {path}: {refused.code} {refused.read().decode(errors='replace')}") from refused


def mailed_token(email):
    """The token in the newest link to this address; mails leave a moment after the request."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for mail in call("GET", "/dev/mailbox.json?to=" + urllib.parse.quote(email))["items"]:
            for link in mail["links"]:
                if found := re.search(r"[?#&]token=([^&#]+)", link):
                    return urllib.parse.unquote(found[1])
        time.sleep(0.1)
    raise RuntimeError(f"no mail with a link came for {email}")


def sign_in(email, password):
    return call("POST", "/api/v1/auth/login", {"email": email, "password": password})["access_token"]


def new_person():
    email = f"contract-{os.getpid()}-{next(numbers)}@example.org"
    call("POST", "/api/v1/auth/register", {"email": email, "password": PASSWORD})
    call("POST", "/api/v1/auth/verify-email", {"token": mailed_token(email)})
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
    operation = context.operation
    return ROLE == "user" and bool(ENDS_A_SESSION.match(f"{operation.method.upper()} {operation.path}"))


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
            return sign_in(os.environ["USHER_CONTRACT_ADMIN"], os.environ["USHER_CONTRACT_ADMIN_PASSWORD"])
        if self.email is None:
            self.email = new_person()
        return sign_in(self.email, PASSWORD)


class Throwaway(Bearer):
    def get(self, case, context):
        return sign_in(new_person(), PASSWORD)


if __name__ == "__main__":
    wait_until_ready(seconds=2)
    sys.exit()

import schemathesis  # noqa: E402  (not needed to wait)

schemathesis.auth(refresh_interval=None).apply_to(ends_a_session).skip_for(needs_nobody)(Throwaway)
schemathesis.auth(refresh_interval=FRESH_SECONDS, retry_on=[401]).skip_for(ends_a_session).skip_for(needs_nobody)(Shared)
