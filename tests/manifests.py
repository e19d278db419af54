"""The manifests of Kubernetes as an overlay gives them, and docker-compose.yml, for tests that read them."""

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


class NoKustomize(Exception):
    """Neither kubectl nor kustomize is installed, and this overlay cannot be put together without."""


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
    """Everything that an overlay applies. Raises `NoKustomize`."""
    command, folder = renderer(), copied() / "k8s" / overlay
    if command is None:
        if overlay == "overlays/production":
            raise NoKustomize
        return tuple(_united(folder))
    done = subprocess.run([*command, str(folder)], check=True, capture_output=True, text=True)
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each)


def _united(folder: Path) -> Iterator[Resource]:
    """The resources of a kustomization and of what it refers to, unpatched, for want of a renderer."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    for name in (*kustomization.get("resources", ()), *kustomization.get("components", ())):
        if (folder / name).is_dir():
            yield from _united((folder / name).resolve())
        else:
            yield from (each for each in yaml.safe_load_all((folder / name).read_text()) if each)
    for made in kustomization.get("configMapGenerator", ()):
        pairs = (literal.split("=", 1) for literal in made.get("literals", ()))
        yield {"kind": "ConfigMap", "metadata": {"name": made["name"]}, "data": dict(pairs)}
    for made in kustomization.get("secretGenerator", ()):
        keys = {Path(name).name: "" for name in made["files"]}
        yield {"kind": "Secret", "metadata": {"name": made["name"]}, "data": keys}


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
