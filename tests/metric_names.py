"""Which metrics dashboards and alerts name, and which the services have."""

import importlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Literal, overload

import yaml
from manifests import ROOT
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

ALERTS = ROOT / "deploy" / "observability" / "alerts.yaml"
DASHBOARDS = sorted((ROOT / "deploy" / "observability" / "dashboards").glob("*.json"))

_PARTS = re.compile(r"_(bucket|sum|count|total)$")
_NAME = re.compile(r"\b(?:rf|rabbitmq|process|python)_[a-z_]+\b|\bup\b")
_MODULES = (
    "fix_outcomes.figures",
    "fix_outcomes.relay",
    "fix_outcomes.subscribers",
    "note_generator.metrics",
)


def expressions() -> Iterator[str]:
    """Every PromQL expression."""
    for group in yaml.safe_load(ALERTS.read_text())["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            yield from (target["expr"] for target in panel.get("targets", ()))


def metrics_in(expression: str) -> set[str]:
    """The metrics that it names, a histogram's parts and a counter's suffix taken off."""
    without_strings = re.sub(r'"[^"]*"', '""', expression)
    return {without_suffix(name) for name in _NAME.findall(without_strings)}


def without_suffix(name: str) -> str:
    """The metric that a series belongs to."""
    return _PARTS.sub("", name)


@overload
def registered(*, labels: Literal[False] = False) -> set[str]: ...
@overload
def registered(*, labels: Literal[True]) -> set[tuple[str, tuple[str, ...]]]: ...
def registered(*, labels: bool = False) -> set[str] | set[tuple[str, tuple[str, ...]]]:
    """The services' own metrics, as they are made."""
    for module in _MODULES:
        importlib.import_module(module)
    made = set(_of(REGISTRY._collector_to_names))
    made |= _gateways()
    return made if labels else {name for name, _ in made}


def _of(collectors: Iterable[object]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for collector in collectors:
        if isinstance(collector, MetricWrapperBase) and collector._name.startswith("rf_"):
            yield collector._name, tuple(collector._labelnames)


def _gateways() -> set[tuple[str, tuple[str, ...]]]:
    from unittest.mock import MagicMock

    from gateway.metrics import Metrics

    metrics = Metrics(couriers=MagicMock(), updates=MagicMock(viewers=0), notes=MagicMock())
    wrapped = set(_of(metrics.registry._collector_to_names))
    families = {
        (family.name, tuple(sorted({label for sample in family.samples for label in sample.labels})))
        for family in metrics.registry.collect()
        if family.name.startswith("rf_") and family.name not in {name for name, _ in wrapped}
    }
    return wrapped | families
