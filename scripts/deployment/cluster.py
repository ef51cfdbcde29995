"""deploy/kubernetes: every manifest is valid by the schemas of Kubernetes, names only what is there, and is as restricted as promised."""

import pathlib
import re

import kubernetes_validate
import yaml

FOLDER = pathlib.Path("deploy/kubernetes")
# The oldest that the manifests claim to run on, and the newest whose schemas are known.
VERSIONS = ["1.30", kubernetes_validate.latest_version()]
POD = {"app.kubernetes.io/name": "usher", "app.kubernetes.io/component": "node"}


def read():
    """Every manifest, as (path, document); kustomizations apart."""
    manifests, kustomizations = [], {}
    for path in sorted(FOLDER.rglob("*.yaml")):
        documents = list(yaml.safe_load_all(path.read_text()))
        if path.name == "kustomization.yaml":
            kustomizations[path.parent] = documents[0]
        else:
            manifests += [(path, document) for document in documents]
    return manifests, kustomizations


def schemas(manifests):
    for path, document in manifests:
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                yield f"{path}: {document['kind']}, Kubernetes {version}: {error.message} at {list(error.path)}"


def kustomized(manifests, kustomizations):
    """Every file is taken in once; the example of a secret never is."""
    taken = []
    for folder, kustomization in kustomizations.items():
        for name in kustomization["resources"]:
            path = folder / name
            if path.is_dir():
                if path not in kustomizations:
                    yield f"{folder}: {name} has no kustomization.yaml"
                continue
            taken.append(path)
            if not path.is_file():
                yield f"{folder}: {name} is not there"
        images = [image["name"] for image in kustomization.get("images", [])]
        if folder.name != "settings" and images != ["usher"]:
            yield f"{folder}: the image is not given a name"
    for path in {path for path, _ in manifests}:
        expected = 0 if path.name == "secret.example.yaml" else 1
        if taken.count(path) != expected:
            yield f"{path} is taken in {taken.count(path)} times"


def pods(manifests):
    for path, document in manifests:
        spec = document.get("spec", {})
        for holder in (spec, spec.get("jobTemplate", {}).get("spec", {})):
            if "template" in holder:
                yield path, document, holder["template"]


def restricted(manifests):
    """Pod Security Standards, `restricted`, and a root that cannot be written to."""
    for path, document, pod in pods(manifests):
        spec = pod["spec"]
        of_pod = spec["securityContext"]
        container = spec["containers"][0]
        security = container["securityContext"]
        rules = {
            "runs as root": of_pod["runAsNonRoot"] is True and of_pod["runAsUser"] > 0,
            "has no seccomp profile": of_pod["seccompProfile"]["type"] == "RuntimeDefault",
            "may gain privileges": security["allowPrivilegeEscalation"] is False,
            "keeps capabilities": security["capabilities"] == {"drop": ["ALL"]},
            "writes to its root": security["readOnlyRootFilesystem"] is True,
            "is given a token of the cluster": spec["automountServiceAccountToken"] is False,
            "has no limit of memory": "memory" in container["resources"]["limits"],
            "asks for nothing": {"cpu", "memory"} <= container["resources"]["requests"].keys(),
        }
        yield from (f"{path}: {document['kind']} {fault}" for fault, holds in rules.items() if not holds)


def references(manifests):
    by_kind = {(document["kind"], document["metadata"]["name"]): document for _, document in manifests}
    secret = by_kind["Secret", "usher"]["stringData"]
    for path, document, pod in pods(manifests):
        container = pod["spec"]["containers"][0]
        for source in container["envFrom"]:
            if ("ConfigMap", source["configMapRef"]["name"]) not in by_kind:
                yield f"{path}: no such ConfigMap"
        if ("ServiceAccount", pod["spec"]["serviceAccountName"]) not in by_kind:
            yield f"{path}: no such ServiceAccount"
        files = {
            f"{mount['mountPath']}/{file}"
            for mount in container["volumeMounts"] for volume in pod["spec"]["volumes"]
            if volume["name"] == mount["name"] and "secret" in volume
            for file in by_kind["Secret", volume["secret"]["secretName"]]["stringData"]
        }
        for setting in container.get("env", []):
            if setting["name"].endswith("_FILE") and setting["value"] not in files:
                yield f"{path}: {setting['name']} is no file of a secret: {setting['value']}"
        volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        if volumes.keys() != mounts.keys() or volumes["secrets"]["secret"]["secretName"] != "usher":
            yield f"{path}: volumes and mounts differ"
        for name, value in by_kind["ConfigMap", "usher"]["data"].items():
            if name.endswith("_FILE"):
                file = pathlib.PurePath(value)
                if str(file.parent) != mounts["secrets"] or file.name not in secret:
                    yield f"{name} is no file of the secret: {value}"
    node = by_kind["Deployment", "usher"]["spec"]["template"]
    if not POD.items() <= node["metadata"]["labels"].items():
        yield "the Deployment's pods lack their labels"
    ports = {port["name"]: port["containerPort"] for port in node["spec"]["containers"][0]["ports"]}
    for (kind, name), document in by_kind.items():
        yield from points_at_nodes(kind, name, document, ports)
    target = by_kind["HorizontalPodAutoscaler", "usher"]["spec"]["scaleTargetRef"]
    if (target["kind"], target["name"]) not in by_kind:
        yield "the autoscaler scales nothing"
    if by_kind["HorizontalPodAutoscaler", "usher"]["spec"]["minReplicas"] < 2:
        yield "the autoscaler is content with one node"


def points_at_nodes(kind, name, document, ports):
    spec = document.get("spec", {})
    if kind == "Service":
        if spec["selector"] != POD:
            yield f"Service {name} selects other pods"
        yield from (f"Service {name}: no port {port['targetPort']}" for port in spec["ports"] if port["targetPort"] not in ports)
    if kind in ("Deployment", "PodDisruptionBudget") and spec["selector"]["matchLabels"] != POD:
        yield f"{kind} {name} selects other pods"
    if kind == "NetworkPolicy":
        if not spec["podSelector"].get("matchLabels", {}).items() <= POD.items():
            yield f"NetworkPolicy {name} selects other pods"
        for rule in spec.get("ingress", []):
            yield from (f"NetworkPolicy {name}: no port {port['port']}" for port in rule["ports"] if port["port"] not in ports)


def rolling(manifests):
    """A node is told to go, drains and ends within what the cluster gives it; what listens is what is asked."""
    documents = {document["kind"]: document for _, document in manifests}
    settings = documents["ConfigMap"]["data"]
    deployment = documents["Deployment"]["spec"]
    pod = deployment["template"]["spec"]
    drain, stop = int(settings["DRAIN_SECONDS"]), int(settings["SHUTDOWN_TIMEOUT_SECONDS"])
    container = pod["containers"][0]
    readiness = container["readinessProbe"]
    noticed = readiness["periodSeconds"] * readiness["failureThreshold"]
    ports = {f"0.0.0.0:{port['containerPort']}" for port in container["ports"]}
    rules = {
        "the nodes are not replaced one by one": deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1},
        "a node closes before it is seen to be unready": noticed < drain,
        "a node is killed while it stops": drain < stop < pod["terminationGracePeriodSeconds"],
        "the ports are not those that are listened to": ports == {settings["LISTEN"], settings["ADMIN_LISTEN"]},
        "readiness is not asked at /readyz": readiness["httpGet"]["path"] == "/readyz",
        "liveness is not asked at /livez": container["livenessProbe"]["httpGet"]["path"] == "/livez",
    }
    yield from (fault for fault, holds in rules.items() if not holds)


def settings(manifests):
    """The environment of a pod, with the contents of its files by name."""
    documents = {(document["kind"], document["metadata"]["name"]): document for _, document in manifests}
    return documents["ConfigMap", "usher"]["data"], documents["Secret", "usher"]["stringData"]


def commands(manifests):
    return [pod["spec"]["containers"][0]["args"] for _, _, pod in pods(manifests)]


def is_no_real_secret(values):
    for name, value in values.items():
        if not re.search("EXAMPLE|example", value):
            yield f"secret.example.yaml: {name} could be taken for a real one"
