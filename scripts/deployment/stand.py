"""deploy/compose.yaml and the proxy in front of its nodes: all that they name is there."""

import pathlib
import re
import subprocess

import yaml

FOLDER = pathlib.Path("deploy")
NODES = ["usher-1", "usher-2"]


def read():
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


def env_example():
    lines = (FOLDER / "env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled_in(text, values):
    """`${NAME}`, `${NAME:-default}` and `${NAME:?words}` as compose fills them in."""
    return re.sub(r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: values.get(found[1], found[2] or ""), str(text))


def references(stand):
    made = set(re.findall(r"^secret (\w+) ", (FOLDER / "make-secrets").read_text(), re.MULTILINE)) | {"tls.crt", "tls.key"}
    for name, secret in stand["secrets"].items():
        if pathlib.Path(secret["file"]) != pathlib.Path("secrets") / name or name not in made:
            yield f"secret {name} is not made by make-secrets"
    for name, service in stand["services"].items():
        yield from (f"{name}: no secret {secret}" for secret in service.get("secrets", []) if secret not in stand["secrets"])
        yield from (f"{name}: no service {other}" for other in service.get("depends_on", []) if other not in stand["services"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (FOLDER / source).is_file() if source.startswith(".") else source in stand["volumes"]
            if not there:
                yield f"{name}: no volume {source}"
        if "build" not in service and not re.fullmatch(r"[\w./-]+:[\w.-]+", service["image"]):
            yield f"{name}: an image without a version"
    variables = set(re.findall(r"\$\{(\w+)", (FOLDER / "compose.yaml").read_text()))
    yield from (f"{name} is not in env.example" for name in variables - env_example().keys())


def nodes(stand):
    services = [stand["services"][name] for name in NODES]
    if services[0]["environment"] != services[1]["environment"]:
        yield "the nodes have different settings"
    for service in services:
        for name, value in service["environment"].items():
            file = pathlib.PurePath(value)
            if name.endswith("_FILE") and (str(file.parent) != "/run/secrets" or file.name not in service["secrets"]):
                yield f"{name} is no secret of the node: {value}"
        grace, drain = int(service["stop_grace_period"].rstrip("s")), int(service["environment"]["DRAIN_SECONDS"])
        if not drain < 10 < grace:
            yield "a node is killed while it stops"


def proxy(work):
    """haproxy itself reads its file, with a certificate that is there."""
    text = (FOLDER / "haproxy.cfg").read_text()
    servers = dict(re.findall(r"^    server (\S+) (\S+):8001$", text, re.MULTILINE))
    if servers != {name: name for name in NODES}:
        yield f"haproxy.cfg has other nodes: {servers}"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
         "-keyout", work / "tls.key", "-out", work / "tls.crt"], check=True, capture_output=True)
    here = re.sub(r"( server \S+) \S+:8001", r"\1 127.0.0.1:8001", text).replace("/run/secrets/tls.crt", str(work / "tls.crt"))
    (work / "haproxy.cfg").write_text(here)
    checked = subprocess.run(["haproxy", "-c", "-f", work / "haproxy.cfg"], capture_output=True, text=True)
    if checked.returncode or "WARNING" in checked.stderr:
        yield f"haproxy.cfg: {checked.stderr}"
