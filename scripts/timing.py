"""Asks a fresh service about addresses with and without an account, in turn, and prints how well the time of the answer tells
them apart: medians, and the area under the curve of the ranks (0.5: not at all; 0 or 1: always). See scripts/timing."""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

USHER, SAMPLES = sys.argv[1], int(sys.argv[2])
KNOWN, WAITING, GONE, UNKNOWN = "ada@example.com", "carol@example.com", "gone@example.com", "nobody@example.com"
PASSWORD = "a quiet Harbour 7 lanterns"
OFF = ["LOGIN", "REGISTER", "MAIL", "REFRESH", "API", "RECIPIENT", "ACCOUNT"]


def start(folder):
    environment = {
        "ADMIN_EMAIL": KNOWN,
        "ADMIN_PASSWORD": PASSWORD,
        "DATA_DIR": folder,
        "REQUIRE_EMAIL_VERIFICATION": "false",
        "LISTEN": "127.0.0.1:0",
        "LOG_FORMAT": "json",
        "SIGNUP_PRIVACY": "strict",
        **{f"RATE_LIMIT_{name}": "off" for name in OFF},
    }
    service = subprocess.Popen([USHER, "serve"], env=environment, cwd=folder, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in service.stdout:
        if '"listen"' in line:
            told = json.loads(line)
            # Unread, the log would fill its pipe and hold the service up.
            threading.Thread(target=service.stdout.read, daemon=True).start()
            return service, (told.get("fields") or told)["listen"]
    sys.exit("error: the service did not start")


def ask(connection, path, body):
    begun = time.perf_counter_ns()
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    reply.read()
    return (time.perf_counter_ns() - begun) / 1e6, reply.status


def terminate(connection, who):
    connection.request("POST", "/api/v1/auth/login", json.dumps(who), {"Content-Type": "application/json"})
    token = json.load(connection.getresponse())["access_token"]
    body = json.dumps({"password": PASSWORD, "confirm": True})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    connection.request("POST", "/api/v1/users/me/terminate", body, headers)
    reply = connection.getresponse()
    reply.read()
    assert reply.status == 204, reply.status


def measure(connection, name, path, body, status, known=KNOWN, unknown=UNKNOWN, probe=None, right=None, rest=0.03):
    """Times the request itself, or with a probe the next one, which asks about that address."""
    groups = {True: [], False: []}
    for number in range(2 * SAMPLES + 20):
        if number % 50 == 0:
            # A right password now and then, so that the account is never locked.
            ask(connection, "/api/v1/auth/login", {"email": KNOWN, "password": PASSWORD})
        is_known = (number + number // 2) % 2 == 0
        email = known if is_known else unknown.format(number)
        taken, told = ask(connection, path, {"email": email, **(right if right and is_known else body)})
        assert told == status, told
        if probe:
            taken, told = ask(connection, path, {"email": probe, **body})
            # What one round leaves to be done is not to be seen in the next.
            time.sleep(rest)
        if number >= 20:
            groups[is_known].append(taken)
    known, unknown = groups.values()
    above = sum((a > b) + (a == b) / 2 for a in known for b in unknown)
    print(f"{name:10} known {statistics.median(known):8.3f} ms  unknown {statistics.median(unknown):8.3f} ms  "
          f"AUC {above / len(known) / len(unknown):.3f}  ({len(known)} + {len(unknown)} samples)", flush=True)


with tempfile.TemporaryDirectory() as folder:
    service, address = start(folder)
    try:
        connection = http.client.HTTPConnection(address)
        reset, verify, sign_up = (f"/api/v1/auth/{name}" for name in
                                  ["password-reset-request", "verify-email-request", "register"])
        wrong, right = {"password": "a wrong Harbour 7 lanterns"}, {"password": PASSWORD}
        login = "/api/v1/auth/login"
        for email in [WAITING, GONE]:
            ask(connection, sign_up, {"email": email, **right})
        # A strict sign-up is done a moment after its answer.
        time.sleep(1)
        terminate(connection, {"email": GONE, **right})
        measure(connection, "LOGIN", login, wrong, 401)
        measure(connection, "LOGIN_GONE", login, wrong, 401, known=GONE, right=right)
        measure(connection, "LOGIN_NEXT", login, wrong, 401, probe="somebody@example.com")
        measure(connection, "RESET_REQ", reset, {}, 202)
        # The courier begins within 200 ms.
        measure(connection, "RESET_NEXT", reset, {}, 202, probe="somebody@example.com", rest=0.25)
        measure(connection, "VERIFY_REQ", verify, {}, 202, known=WAITING)
        measure(connection, "SIGN_UP", sign_up, right, 202, unknown="fresh{}@example.com")
    finally:
        service.terminate()
        service.wait()
