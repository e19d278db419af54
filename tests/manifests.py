"""The manifests of Kubernetes as an overlay gives them, and docker-compose.yml, for tests that read them."""

import base64
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
OVERLAYS = ("base", "overlays/dev", "overlays/production")
WORKLOADS = ("Deployment", "StatefulSet", "Job")
CUSTOM = ("RabbitmqCluster", "Cluster")

Resource = dict[str, Any]


def renderer() -> list[str] | None:
    """The command that renders a kustomization."""
    if shutil.which("kubectl"):
        return ["kubectl", "kustomize"]
    return ["kustomize", "build"] if shutil.which("kustomize") else None


@cache
def copied() -> Path:
    """A copy of the manifests, with secrets for the overlay that reads them from files."""
    import atexit
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="manifests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("k8s", "deploy"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("secrets"))
    made = folder / "k8s" / "overlays" / "dev" / "secrets"
    subprocess.run([ROOT / "deploy" / "secrets", made], check=True, capture_output=True)
    return folder


@cache
def resources(overlay: str) -> tuple[Resource, ...]:
    """Everything that an overlay applies."""
    command, folder = renderer(), copied() / "k8s" / overlay
    if command is None:
        return tuple(put_together(folder))
    done = subprocess.run([*command, str(folder)], check=True, capture_output=True, text=True)
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each)


def put_together(folder: Path) -> list[Resource]:
    """What kustomize would make of a folder, for want of it: as much of kustomize as the overlays here use."""
    return _add(folder, [])


def _add(folder: Path, found: list[Resource]) -> list[Resource]:
    """Add a kustomization to what is there. A component's patches take hold of all of it, a resource's of its own."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for name in kustomization.get("resources", ()):
        found += put_together((folder / name).resolve()) if (folder / name).is_dir() else _read(folder / name)
    found += _generated(folder, kustomization, found)
    for name in kustomization.get("components", ()):
        _add((folder / name).resolve(), found)
    for patch in kustomization.get("patches", ()):
        _patch(folder, patch, found)
    for count in kustomization.get("replicas", ()):
        _named(found, "Deployment", count["name"])["spec"]["replicas"] = count["count"]
    for image in kustomization.get("images", ()):
        _rename(found, image)
    return found


def _read(file: Path) -> list[Resource]:
    return [each for each in yaml.safe_load_all(file.read_text()) if each]


def _named(among: list[Resource], kind: str, name: str) -> Resource:
    return next(each for each in among if each["kind"] == kind and name_of(each) == name)


def _generated(folder: Path, kustomization: Resource, there: list[Resource]) -> Iterator[Resource]:
    for made in kustomization.get("configMapGenerator", ()):
        data = dict(literal.split("=", 1) for literal in made.get("literals", ()))
        data |= {Path(name).name: (folder / name).read_text() for name in made.get("files", ())}
        if made.get("behavior") == "merge":
            _named(there, "ConfigMap", made["name"])["data"].update(data)
        else:
            yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": made["name"]}, "data": data}
    for made in kustomization.get("secretGenerator", ()):
        files = ((Path(name).name, (folder / name).read_bytes()) for name in made["files"])
        data = {name: base64.b64encode(content).decode() for name, content in files}
        yield {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": made["name"]}, "data": data}


def _patch(folder: Path, patch: Resource, found: list[Resource]) -> None:
    if "path" in patch:
        for change in _read(folder / patch["path"]):
            _merge(_named(found, change["kind"], name_of(change)), change)
        return
    target, operations = patch["target"], yaml.safe_load(patch["patch"])
    for each in found:
        if each["kind"] == target["kind"] and re.fullmatch(target.get("name", ".*"), name_of(each)):
            for operation in operations:
                *way, last = operation["path"].strip("/").split("/")
                place: Any = each
                for step in way:
                    place = place[int(step) if isinstance(place, list) else step]
                _operate(operation["op"], place, last, operation.get("value"))


def _operate(operation: str, place: Any, last: str, value: Any) -> None:
    if operation == "remove":
        del place[last]
    elif last == "-":
        place.append(value)
    else:
        place[int(last) if isinstance(place, list) else last] = value


def _merge(onto: Resource, change: Resource) -> None:
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(onto.get(key), dict):
            _merge(onto[key], value)
        else:
            onto[key] = value


def _rename(found: list[Resource], image: Resource) -> None:
    for each in found:
        if each["kind"] in WORKLOADS:
            for container in (*pod_of(each)["containers"], *pod_of(each).get("initContainers", ())):
                name = container["image"].rpartition(":")[0]
                if name == image["name"]:
                    new = f"@{image['digest']}" if "digest" in image else f":{image['newTag']}"
                    container["image"] = name + new


def of_kind(overlay: str, *kinds: str) -> list[Resource]:
    """An overlay's resources of these kinds."""
    return [each for each in resources(overlay) if each["kind"] in kinds]


def name_of(resource: Resource) -> str:
    """What a resource is called."""
    return str(resource["metadata"]["name"])


def pod_of(workload: Resource) -> Resource:
    """The pod that a workload makes."""
    return dict(workload["spec"]["template"]["spec"])


def labels_of(workload: Resource) -> dict[str, str]:
    """The labels of the pods that a workload, or a cluster of an operator, makes."""
    if workload["kind"] == "RabbitmqCluster":
        return dict(workload["spec"]["override"]["statefulSet"]["spec"]["template"]["metadata"]["labels"])
    if workload["kind"] == "Cluster":
        return dict(workload["spec"]["inheritedMetadata"]["labels"])
    return dict(workload["spec"]["template"]["metadata"]["labels"])


def selects(selector: Resource, labels: dict[str, str]) -> bool:
    """Whether a label selector takes these labels. One without conditions takes all."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for condition in selector.get("matchExpressions", ()):
        assert condition["operator"] == "In"
        if labels.get(condition["key"]) not in condition["values"]:
            return False
    return True


@cache
def compose() -> Resource:
    """docker-compose.yml, anchors resolved, variables as they are written."""
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


if __name__ == "__main__":
    import sys

    print(yaml.safe_dump_all(resources(sys.argv[1]), sort_keys=False))  # noqa: T201 - for tests/check-deploy
