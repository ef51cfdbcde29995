"""The hooks of schemathesis. Random data never knows a password or a mailed token, so of each operation's well-formed requests
the first few are made true: with them the operation must succeed, and its answer is held against the document. The others may
be refused as invalid (422) only for what a schema cannot say.
"""

import ast
import functools
import json
import os
import pathlib
import re
import sys
import threading
import uuid
from collections import Counter

import schemathesis
from schemathesis import GenerationMode

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from people import PASSWORD, ROLE, call, mailed_token, new_address, new_person, sign_in, unverified_person  # noqa: E402


def one_at_a_time(function):
    lock = threading.RLock()

    @functools.wraps(function)
    def locked(*arguments, **options):
        with lock:
            return function(*arguments, **options)
    return locked


# Some Pythons (3.11.7) take two threads that parse at the same moment for one (cpython#106905: "AST constructor recursion depth
# mismatch"); Hypothesis parses the source of functions to print them.
ast.parse = one_at_a_time(ast.parse)

TRUE_REQUESTS = 3
OTHER_PASSWORD = "a loud Harbour 9 lanterns"
# Field (any for none) and code: rules over two fields, lists, and forms that no readable pattern tells.
UNFORESEEABLE = {
    (None, "mismatch"),
    (None, "password_weak"),
    (None, "password_blocklisted"),
    (None, "password_context"),
    ("email", "required"),
    ("confirm", "unknown_value"),
    ("file", "format"),
    ("file", "required"),
    ("country", "unknown_value"),
    ("state_province", "unknown_value"),
    ("locale", "format"),
}
# Lines of text are neither blank nor broken by control characters.
LINES = ("full_name", "state_province", "current_title", "location", "headline", "bio", "company", "skills", "desired_titles",
         "locations", "industries", "education", "education.institution", "education.degree", "education.field", "description")
UNFORESEEABLE |= {(field, code) for field in LINES for code in ("format", "too_short")}
# Words to search for have letters left when accents and signs are taken off.
UNFORESEEABLE |= {("q", "too_short"), ("q", "too_long"), ("location", "too_short"), ("skills", "too_long")}
# Opaque, or of a form that no readable pattern tells: cursors, web addresses, telephone numbers, codes of registries, times.
UNFORESEEABLE |= {(field, "format") for field in ("cursor", "website", "links", "phone", "languages", "actor", "subject", "ip")}
UNFORESEEABLE |= {(field, "format") for field in ("from", "to", "created_from", "created_to", "last_login_from", "last_login_to")}
UNFORESEEABLE |= {(field, "too_long") for field in ("website", "links", "extra")}
UNFORESEEABLE |= {(field, "unknown_value") for field in ("timezone", "salary_currency", "languages", "roles", "phone")}
# Types of events: their list grows, and a client may ask for one that this version does not know.
UNFORESEEABLE |= {(field, "unknown_value") for field in ("type", "events")}
# Where webhooks may lead.
UNFORESEEABLE |= {("url", code) for code in ("format", "too_long", "private_address")}
# Rules over two fields, and the depth of a free object.
UNFORESEEABLE |= {("roles", "too_short"), ("salary_currency", "required"), ("salary_max", "out_of_range"), ("salary_min", "out_of_range"), ("extra", "format"),
                  ("education", "out_of_range"), ("education.end_year", "out_of_range"), ("until", "out_of_range")}
# One of two fields must be there.
UNFORESEEABLE |= {("uuid", "required")}
# `login` takes an address or a username in one field; a filter's form is not named, so that parts of addresses can be tried.
UNFORESEEABLE_IN_LOGIN = UNFORESEEABLE | {("email", "format"), ("email", "too_long"), ("email", "too_short")}
asked = Counter()
asked_lock = threading.Lock()
true_cases = set()


def reset_token():
    email = new_person()
    call("POST", "/api/v1/auth/password-reset-request", {"email": email})
    return mailed_token(email, "reset-password")


def email_change_tokens():
    old, new = new_person(), new_address()
    body = {"new_email": new, "password": PASSWORD}
    call("POST", "/api/v1/auth/change-email", body, sign_in(old)["access_token"])
    return old, mailed_token(new, "confirm-email-change")


def undo_token():
    old, token = email_change_tokens()
    call("POST", "/api/v1/auth/confirm-email-change", {"token": token})
    return mailed_token(old, "undo-email-change")


def register():
    account = {"email": new_address(), "password": PASSWORD, "confirm_password": PASSWORD}
    return account | {"full_name": "Test User", "country": "NL", "state_province": "Utrecht", "locale": "nl-NL"}


def change_password():
    return {"current_password": PASSWORD, "new_password": OTHER_PASSWORD, "confirm_password": OTHER_PASSWORD}


# Operation id without its twins' suffixes -> the true body, query or path parameters of who has this access token.
TRUE = {
    "register": lambda _: register(),
    "login": lambda _: {"email": new_person(), "password": PASSWORD},
    "refresh": lambda _: {"refresh_token": sign_in(new_person())["refresh_token"]},
    "reauthenticate": lambda _: {"password": PASSWORD},
    "request_password_reset": lambda _: {"email": new_person()},
    "confirm_password_reset": lambda _: {"token": reset_token(), "new_password": OTHER_PASSWORD},
    "request_email_verification": lambda _: {"email": unverified_person()},
    "verify_email": lambda _: {"token": mailed_token(unverified_person())},
    "change_password": lambda _: change_password(),
    "change_email": lambda _: {"new_email": new_address(), "password": PASSWORD},
    "confirm_email_change": lambda _: {"token": email_change_tokens()[1]},
    "undo_email_change": lambda _: {"token": undo_token()},
    "terminate_account": lambda _: {"password": PASSWORD, "confirm": True},
    "revoke_session": lambda token: {"id": call("GET", "/api/v1/auth/sessions", token=token)["items"][0]["id"]},
}


def true_form(operation):
    name = operation.definition.raw.get("operationId", "")
    return TRUE.get(re.sub(r"(_(auth|get|root|signup|users))+$", "", name))


def may_be_made_true(case):
    """Whether it is well-formed, brings the token that it needs, and its operation's turn is not over."""
    if not is_well_formed(case) or true_form(case.operation) is None:
        return False
    if needs_token(case) and (ROLE == "anonymous" or "Authorization" not in (case.headers or {})):
        return False
    with asked_lock:
        asked[case.operation.label] += 1
        return asked[case.operation.label] <= TRUE_REQUESTS


def is_well_formed(case):
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def needs_token(case):
    security = case.operation.definition.raw.get("security") or [{}]
    return {} not in security


def spare_the_admin(case):
    """Ids are taken from earlier answers, too: whoever asks all along must not give away address or role."""
    if ROLE == "admin" and (case.path_parameters or {}).get("id") == admin_id():
        case.path_parameters["id"] = call("GET", "/api/v1/users/me", token=sign_in(new_person())["access_token"])["id"]


@functools.cache
def admin_id():
    return sign_in(os.environ["CONTRACT_ADMIN"], os.environ["CONTRACT_ADMIN_PASSWORD"])["user"]["id"]


@schemathesis.hook
def before_call(context, case, kwargs):
    # Random keys repeat themselves, each time with another body.
    if is_well_formed(case) and "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    spare_the_admin(case)
    if not may_be_made_true(case):
        return
    token = sign_in(new_person())["access_token"] if needs_token(case) else None
    if token:
        case.headers["Authorization"] = f"Bearer {token}"
    form = true_form(case.operation)(token)
    if "{" in case.path:
        case.path_parameters = form
    elif case.method.upper() == "GET":
        case.query = form
    else:
        case.body = form
    with asked_lock:
        true_cases.add(case.id)


@schemathesis.check
def a_true_request_succeeds(context, response, case):
    """The operation does what it is for."""
    if case.id in true_cases and not 200 <= response.status_code < 300:
        raise AssertionError(f"A true request was answered with {response.status_code}")


@schemathesis.check
def only_the_unforeseeable_is_invalid(context, response, case):
    """A well-formed request breaks no rule that its schema could have told."""
    if response.status_code != 422 or not is_well_formed(case) or has_nul(case):
        return
    takes_any_address = case.path.endswith("/login") or (case.method.upper() == "GET" and case.path.endswith("/users"))
    known = UNFORESEEABLE_IN_LOGIN if takes_any_address else UNFORESEEABLE
    for broken in response.json()["errors"]:
        if (broken["field"], broken["code"]) not in known and (None, broken["code"]) not in known:
            raise AssertionError(f"The schema allows what the service refuses: {broken['field']} {broken['code']}")


def has_nul(case):
    """U+0000 is refused in any text, which would be a pattern at every field."""
    return "\\u0000" in json.dumps([case.query, case.path_parameters, case.body if is_json(case.body) else None])


def is_json(body):
    return isinstance(body, dict | list | str | int | float | bool | None)
