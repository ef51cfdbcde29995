"""Checks deploy/kubernetes and deploy/compose.yaml, and that the program takes the settings that they give it."""

import base64
import pathlib
import secrets
import subprocess
import sys
import tempfile

import cluster
import stand

USHER = pathlib.Path(sys.argv[1])


def taken(where, settings, files, work):
    """The program takes these settings and knows every name among them; flags are refused for an unknown name, the environment is not."""
    flags = []
    for name, value in settings.items():
        if name.endswith("_FILE"):
            file = work / pathlib.PurePath(value).name
            file.write_text(files[file.name])
            value = str(file)
        flags += ["--set", f"{name}={value}"]
    done = subprocess.run([USHER, "config", "check", *flags], env={}, cwd=work, capture_output=True, text=True)
    if done.returncode:
        yield f"{where}: {done.stderr.strip()}"


def strong(files, key, token):
    """With a master key, a token and passwords that could be real ones."""
    files = {name: text.replace("EXAMPLE-PASSWORD", secrets.token_hex(24)) for name, text in files.items()}
    return files | {key: "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(), token: secrets.token_hex(24)}


def kubernetes(work):
    manifests, kustomizations = cluster.read()
    settings, files = cluster.settings(manifests)
    yield from cluster.schemas(manifests)
    yield from cluster.kustomized(manifests, kustomizations)
    yield from cluster.restricted(manifests)
    yield from cluster.references(manifests)
    yield from cluster.rolling(manifests)
    yield from cluster.is_no_real_secret(files)
    yield from taken("config-map.yaml", settings, strong(files, "encryption-keys", "metrics-token"), work)
    for command in cluster.commands(manifests):
        if subprocess.run([USHER, *command, "--help"], capture_output=True).returncode:
            yield f"there is no command {command}"


def compose(work):
    services = stand.read()
    yield from stand.references(services)
    yield from stand.nodes(services)
    yield from stand.proxy(work)
    example = stand.env_example()
    given = services["services"]["usher-1"]["environment"]
    settings = {name: stand.filled_in(value, example) for name, value in given.items()}
    files = {
        "database_url": "postgresql://usher_service:0123456789abcdef@postgres:5432/usher",
        "admin_password": "four Ships 5 rowing home",
        "smtp_url": "smtp://mail:1025?tls=none",
    }
    files = strong(files, "encryption_keys", "metrics_token")
    yield from taken("compose.yaml", settings, files, work)
    migrating = services["services"]["migrate"]["environment"]
    if migrating["DATABASE_URL_FILE"] == given["DATABASE_URL_FILE"]:
        yield "the migration has the database's role of the nodes"
    if migrating | {"DATABASE_URL_FILE": ""} != given | {"DATABASE_URL_FILE": ""}:
        yield "the migration has other settings than the nodes"
    production = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://accounts.example.com"}
    files |= {"smtp_url": "smtp://user:0123456789abcdef@mail.example.com:587"}
    yield from taken("compose.yaml in production", settings | production, files, work)


with tempfile.TemporaryDirectory() as folder:
    faults = [*kubernetes(pathlib.Path(folder)), *compose(pathlib.Path(folder))]
for fault in faults:
    print(f"error: {fault}", file=sys.stderr)
sys.exit(1 if faults else 0)
