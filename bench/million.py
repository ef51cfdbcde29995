"""Makes a file of people, imports it, and asks for pages, addresses and words. Figures are of one client after another."""

import base64
import datetime
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse

FIRST = "Ada Alan Barbara Carl Dennis Edsger Frances Grace Hedy Ivan Jean Karen Linus Margaret Niklaus Olga Peter Radia Sophie Tim Ursula Vint Wim Xu Yukihiro Zohra".split()
LAST = "Lovelace Turing Liskov Hewitt Ritchie Dijkstra Allen Hopper Lamarr Sutherland Bartik Jones Torvalds Hamilton Wirth Ladyzhenskaya Naur Perlman Wilson Berners Franklin Cerf Ebbinghaus Wei Matsumoto Hadid".split()
TITLES = "Analyst Engineer Teacher Nurse Carpenter Librarian Chemist Pilot Gardener Tailor".split()
PLACES = "Utrecht London Kyoto Lagos Lima Oslo Porto Quito Riga Turin".split()
COUNTRIES = "NL GB JP NG PE NO PT EC LV IT".split()
# What means something to LIKE, FTS5 or trigrams, and words that almost all or no index can find; milliseconds for each.
SIGNS_WITHIN = 200
SIGNS = ("%", "%%", "__", "%_%_%_%", "\\\\", "*:*", "%" * 50, '"', "a", "a%", "$a", "$a$b", "f_r", "c++", "c#", "go", "li*", "ab", "a b c",
         "' OR 1=1 --", "NEAR(a b)", "e e e e e e e ee", "x" * 10_000)
PASSWORD = "SecurePass123 for a million"
START = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)


def created(number):
    return (START + datetime.timedelta(seconds=number)).isoformat().replace("+00:00", "Z")


def person(number, dice):
    place = dice.randrange(len(PLACES))
    syllables = "".join(dice.choice("bdfgklmnprstvz") + dice.choice("aeiou") for _ in range(3))
    return {
        "email": f"person{number}@example.com",
        "username": f"user{number}",
        "full_name": f"{dice.choice(FIRST)} {syllables.title()} {dice.choice(LAST)}",
        "current_title": dice.choice(TITLES),
        "location": PLACES[place],
        "country": COUNTRIES[place],
        "verified": dice.random() < 0.9,
        "password_hash": "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
        "created_at": created(number),
    }


def make(path, people):
    dice = random.Random(1)
    with open(path, "w") as file:
        for number in range(people):
            file.write(json.dumps(person(number, dice)) + "\n")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.token = None

    def send(self, method, path, body=None):
        """Status and text."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        self.connection.request(method, path, json.dumps(body) if body else None, headers)
        reply = self.connection.getresponse()
        text = reply.read()
        if reply.will_close:
            self.connection.close()
        return reply.status, text

    def ask(self, method, path, body=None):
        status, text = self.send(method, path, body)
        if status != 200:
            raise SystemExit(f"{path}: {status} {text[:300]}")
        return json.loads(text)


def measure(name, client, paths):
    times, found = [], 0
    for path in paths:
        begin = time.perf_counter()
        found += len(client.ask("GET", path)["items"])
        times.append((time.perf_counter() - begin) * 1000)
    times.sort()
    p95 = times[int(len(times) * 0.95)]
    print(f"{name:34} p50 {statistics.median(times):7.2f} ms   p95 {p95:7.2f} ms   {found / len(times):6.1f} found", flush=True)


def measure_signs(client):
    """Each is found or refused at once, whatever it means to a database; those that are not."""
    slow = []
    for text in SIGNS:
        path, times = "/api/v1/users/search?q=" + urllib.parse.quote(text, safe=""), []
        for _ in range(10):
            begin = time.perf_counter()
            status, _ = client.send("GET", path)
            times.append((time.perf_counter() - begin) * 1000)
        print(f"search, {text[:24]!r:26} p50 {statistics.median(times):7.2f} ms   max {max(times):7.2f} ms   {status}", flush=True)
        if max(times) > SIGNS_WITHIN or status >= 500:
            slow.append(text[:24])
    return slow


def at(cursor, number):
    """The cursor of page 1 moved to the person with this number."""
    padded = cursor + "=" * (-len(cursor) % 4)
    place = json.loads(base64.urlsafe_b64decode(padded))
    fraction = place["k"].split(".")[1] if "." in place["k"] else None
    place["k"] = created(number)[:-1] + ("." + fraction if fraction else "Z")
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def questions(client, people):
    dice = random.Random(2)
    listing = "/api/v1/users?limit=20&sort=created_at"
    first = client.ask("GET", listing)
    measure("list, page 1", client, [listing] * 200)
    deep = [at(first["next_cursor"], max(people - 20 * n, 1) - 20) for n in range(1, 201)]
    measure(f"list, page {people // 20 - 1} and before", client, [f"{listing}&cursor={cursor}" for cursor in deep])
    measure("list by name, page 1", client, ["/api/v1/users?sort=full_name"] * 100)
    measure("list, status and country", client, [f"/api/v1/users?status=pending&country={dice.choice(COUNTRIES)}" for _ in range(100)])
    emails = [f"/api/v1/users?email=person{dice.randrange(people)}@example.com" for _ in range(300)]
    measure("exact address", client, emails)
    syllables = ["".join(dice.choice("bdfgklmnprstvz") + dice.choice("aeiou") for _ in range(3)) for _ in range(300)]
    measure("staff's q, a rare name", client, [f"/api/v1/users?q={name}" for name in syllables])
    search = "/api/v1/users/search?q="
    measure("search, a rare name", client, [search + name for name in syllables])
    measure("search, two words", client, [f"{search}{dice.choice(FIRST)}%20{name[:4]}" for name in syllables])
    measure("search, a common word", client, [search + dice.choice(LAST + TITLES + PLACES) for _ in range(100)])
    measure("search, part of a word, country", client, [f"{search}{name[1:5]}&country=NL" for name in syllables[:100]])
    measure("search, nobody", client, [search + "qqqq" + name for name in syllables])
    slow = measure_signs(client)
    if slow:
        raise SystemExit(f"over {SIGNS_WITHIN} ms: {slow}")


def run(usher, folder, database, people):
    port = free_port()
    settings = dict(
        os.environ, DATABASE_URL=database, DATA_DIR=folder, LISTEN=f"127.0.0.1:{port}", LOG_LEVEL="warn",
        PUBLIC_URL=f"http://127.0.0.1:{port}", RATE_LIMIT_API="off", RATE_LIMIT_LOGIN="off",
    )
    print(f"--- {database.split(':')[0]}, {people} people", flush=True)
    subprocess.run([usher, "admin", "create", "--email", "ada@example.org", "--password-stdin"], env=settings,
                   input=PASSWORD.encode(), check=True, stdout=subprocess.DEVNULL)
    begin = time.perf_counter()
    importing = subprocess.Popen([usher, "user", "import", os.path.join(folder, "people.jsonl"), "--no-events", "--defer-indexes"], env=settings,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, complaint = importing.communicate()
    seconds = time.perf_counter() - begin
    if importing.returncode:
        raise SystemExit(complaint.decode())
    print(f"import: {people / seconds:.0f} people a second ({seconds:.0f} s)", flush=True)
    service = subprocess.Popen([usher, "serve"], env=settings, stdout=subprocess.DEVNULL)
    try:
        client = Client(port)
        for _ in range(600):
            try:
                client.ask("GET", "/readyz")
                break
            except OSError:
                client = Client(port)
                time.sleep(0.1)
        login = client.ask("POST", "/api/v1/auth/login", {"email": "ada@example.org", "password": PASSWORD})
        client.token = login["access_token"]
        questions(client, people)
        with open(f"/proc/{service.pid}/status") as status:
            print("resident", next(line.split()[1] for line in status if line.startswith("VmRSS")), "KiB", flush=True)
    finally:
        service.terminate()
        service.wait()


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]))
    else:
        run(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
