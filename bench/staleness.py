"""Signs people out on one node and asks another one, over and over, until it refuses them."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse

PASSWORD = "SecurePass123 for the bench"
EMAIL = "ada@example.org"
ME = "/api/v1/users/me"
# So many are signed out while a node is cut off.
AT_ONCE = 40


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Gate:
    """A way to PostgreSQL on which what listening connections hear can be held back."""

    def __init__(self, port):
        self.port, self.there = free_port(), port
        self.is_open = threading.Event()
        self.is_open.set()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            here, _ = self.listener.accept()
            there = socket.create_connection(("127.0.0.1", self.there))
            state = {"listens": False}
            threading.Thread(target=self.out, args=(here, there, state), daemon=True).start()
            threading.Thread(target=self.back, args=(there, here, state), daemon=True).start()

    def out(self, here, there, state):
        while data := receive(here):
            state["listens"] |= b"LISTEN" in data
            there.sendall(data)
        close(there)

    def back(self, there, here, state):
        while data := receive(there):
            if state["listens"]:
                self.is_open.wait()
            try:
                here.sendall(data)
            except OSError:
                break
        close(here)


def receive(connection):
    try:
        return connection.recv(65536)
    except OSError:
        return b""


def close(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method, path, token=None, body=None):
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        question = method, path, json.dumps(body) if body else None, headers
        try:
            self.connection.request(*question)
            reply = self.connection.getresponse()
        except http.client.RemoteDisconnected:
            # It was idle for too long.
            self.connection.close()
            self.connection.request(*question)
            reply = self.connection.getresponse()
        text = reply.read()
        return reply.status, json.loads(text) if text.startswith(b"{") else text.decode()

    def must(self, *question):
        status, answer = self.ask(*question)
        if status >= 300:
            raise SystemExit(f"{question[1]}: {status} {answer}")
        return answer


class Node:
    def __init__(self, usher, folder, database, name):
        self.port = free_port()
        settings = dict(
            os.environ, DATABASE_URL=database, DATA_DIR=folder, LISTEN=f"127.0.0.1:{self.port}", LOG_LEVEL="warn",
            PUBLIC_URL="http://127.0.0.1", RATE_LIMIT_API="off", RATE_LIMIT_LOGIN="off", RATE_LIMIT_ACCOUNT="off",
            HASH_MEMORY_KIB="1024", HASH_ITERATIONS="1", ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD=PASSWORD,
        )
        log = open(os.path.join(folder, f"{name}.log"), "wb")
        self.process = subprocess.Popen([usher, "serve"], env=settings, stdout=log)
        self.client = Client(self.port)
        for _ in range(600):
            try:
                self.client.must("GET", "/readyz")
                return
            except OSError:
                self.client = Client(self.port)
                time.sleep(0.1)
        raise SystemExit("a node did not come up")

    def hears(self):
        _, metrics = self.client.ask("GET", "/metrics")
        return 'usher_push_up{channel="postgresql"} 1' in metrics


def settle(nodes):
    while not all(node.hears() for node in nodes):
        time.sleep(0.02)


def signed_in(revoking, asked):
    """An access token that the asked node has in its memory."""
    token = revoking.client.must("POST", "/api/v1/auth/login", None, {"email": EMAIL, "password": PASSWORD})["access_token"]
    for _ in range(2):
        asked.client.must("GET", ME, token)
    return token


def accepted_for(revoking, asked, tokens):
    """For each token the milliseconds from the answer to its sign-out until the last request that was still let in."""
    ended, last = {}, {}
    for token in tokens:
        revoking.client.must("POST", "/api/v1/auth/logout", token)
        ended[token] = last[token] = time.perf_counter()
    let_in = list(tokens)
    while let_in:
        for token in list(let_in):
            sent = time.perf_counter()
            if asked.client.ask("GET", ME, token)[0] == 401:
                let_in.remove(token)
            else:
                last[token] = sent
    return [(last[token] - ended[token]) * 1000 for token in tokens]


def one_by_one(revoking, asked, count):
    return [accepted_for(revoking, asked, [signed_in(revoking, asked)])[0] for _ in range(count)]


def cut_off(nodes, gate, count):
    """Cuts the last node off, signs many out, and lets it hear again, over and over."""
    revoking, *_, cut = nodes
    times = []
    while len(times) < count:
        settle(nodes)
        tokens = [signed_in(revoking, cut) for _ in range(min(AT_ONCE, count - len(times)))]
        gate.is_open.clear()
        times += accepted_for(revoking, cut, tokens)
        gate.is_open.set()
    return times


def tell(name, times):
    times.sort()
    late = sum(1 for time_ in times if time_ > 0)
    at = lambda part: times[min(int(len(times) * part), len(times) - 1)]
    print(f"{name:28} n {len(times):5}   let in after it {late:5}   p50 {at(0.5):7.2f} ms   p99 {at(0.99):7.2f} ms   max {times[-1]:7.2f} ms", flush=True)


def run(usher, folder, database, count):
    server = urllib.parse.urlsplit(database)
    gate = Gate(server.port)
    gated = server._replace(netloc=f"{server.username}@127.0.0.1:{gate.port}").geturl()
    nodes = []
    try:
        for name, url in (("a", database), ("b", database), ("c", gated)):
            nodes.append(Node(usher, folder, url, name))
        settle(nodes)
        revoking, hearing, _ = nodes
        tell("another node", one_by_one(revoking, hearing, count))
        tell("the node itself", one_by_one(revoking, revoking, count))
        tell("a node cut off just before", cut_off(nodes, gate, count))
    finally:
        gate.is_open.set()
        for node in nodes:
            node.process.terminate()
        for node in nodes:
            node.process.wait()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
