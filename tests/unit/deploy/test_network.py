"""NetworkPolicies admit exactly the arrows of docs/architecture.md, and whoever operates or watches."""

from itertools import product
from typing import Any

from manifests import CUSTOM, WORKLOADS, Resource, labels_of, name_of, of_kind, selects

SERVICES = ("gateway", "fix-outcomes", "note-generator")
SERVERS = ("postgres", "rabbitmq", "redis")
ARROWS = {
    ("gateway", "rabbitmq"),
    ("gateway", "redis"),
    ("fix-outcomes", "rabbitmq"),
    ("fix-outcomes", "postgres"),
    ("note-generator", "rabbitmq"),
    ("note-generator", "redis"),
    ("migrate", "postgres"),
    ("topology", "rabbitmq"),
}
"""docs/architecture.md, and the two commands that prepare the servers."""

PORTS = {
    "overlays/dev": {"postgres": 5432, "redis": 6379, "rabbitmq": 5672, "topology": 15672},
    "overlays/production": {"postgres": 5432, "redis": 6379, "rabbitmq": 5671, "topology": 15671},
}


_SIGHT = "resolutionflow/monitoring"
STRANGERS = {
    "overlays/dev": {
        ("ingress", "resolutionflow/ingress", "gateway", 8080),
        ("ingress", "resolutionflow/psa", "rabbitmq", 5672),
    },
    "overlays/production": {
        ("ingress", "resolutionflow/ingress", "gateway", 8080),
        ("ingress", "resolutionflow/psa", "rabbitmq", 5671),
        ("ingress", "keda", "rabbitmq", 5671),
        ("ingress", "rabbitmq-system", "rabbitmq", 15671),
        ("ingress", "cnpg-system", "postgres", 8000),
        ("ingress", "cnpg-system", "postgres", 5432),
        *(("ingress", _SIGHT, service, 8080) for service in SERVICES),
        ("ingress", _SIGHT, "rabbitmq", 15691),
        *(("egress", _SIGHT, service, 4318) for service in SERVICES),
    },
}
"""Namespaces by their name or by the label that they carry: who may come in, and where who may go out to."""


class TestNetwork:
    def test_everything_is_denied_first(self, overlay: str) -> None:
        [policy] = [each for each in of_kind(overlay, "NetworkPolicy") if name_of(each) == "default-deny"]
        assert policy["spec"]["podSelector"] == {}
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        assert not policy["spec"].get("ingress")
        assert not policy["spec"].get("egress")

    def test_exactly_the_arrows_of_the_architecture_are_admitted(self, overlay: str) -> None:
        if overlay == "base":
            return
        pods = _pods(overlay)
        expected = {
            (source, target, PORTS[overlay]["topology" if source == "topology" else target])
            for source, target in ARROWS
        }
        ports = {port for _, _, port in expected} | {8080, 80, 443, 15672, 15692, 5671, 4369, 25672}
        admitted = {
            (source, target, port)
            for (source, target), port in product(product(pods, pods), ports)
            if source not in SERVERS
            and _admits(overlay, "egress", pods[source], pods[target], port)
            and _admits(overlay, "ingress", pods[target], pods[source], port)
        }
        assert admitted == expected

    def test_whoever_is_in_another_namespace_gets_no_further_than_this(self, overlay: str) -> None:
        if overlay != "base":
            names = {("egress", "kube-system", pod, 53) for pod in _pods(overlay)}
            assert _strangers(overlay) == STRANGERS[overlay] | names

    def test_only_note_generator_reaches_the_world(self, overlay: str) -> None:
        out = {
            name_of(policy)
            for policy in of_kind(overlay, "NetworkPolicy")
            for rule in policy["spec"].get("egress") or ()
            if not rule.get("to") or any("ipBlock" in peer for peer in rule["to"])
        }
        assert out - {"servers-out"} == {"note-generator"}


def _pods(overlay: str) -> dict[str, dict[str, str]]:
    return {name_of(each): labels_of(each) for each in of_kind(overlay, *WORKLOADS, *CUSTOM)}


def _strangers(overlay: str) -> set[tuple[str, str, str, int]]:
    """Which way, which namespace, whose pods and which port the policies admit."""
    return {
        (way, _called(peer["namespaceSelector"]), pod, port["port"])
        for policy in of_kind(overlay, "NetworkPolicy")
        for way, side in (("ingress", "from"), ("egress", "to"))
        for rule in policy["spec"].get(way) or ()
        for peer in rule.get(side, ())
        if "namespaceSelector" in peer
        for port in rule["ports"]
        for pod, labels in _pods(overlay).items()
        if selects(policy["spec"]["podSelector"], labels)
    }


def _called(selector: Resource) -> str:
    [(label, value)] = selector["matchLabels"].items()
    return str(value if label == "kubernetes.io/metadata.name" else label)


def _admits(overlay: str, way: str, mine: dict[str, str], others: dict[str, str], port: int) -> bool:
    """Whether some policy of these pods admits traffic with those others inside the namespace."""
    for policy in of_kind(overlay, "NetworkPolicy"):
        if not selects(policy["spec"]["podSelector"], mine):
            continue
        for rule in policy["spec"].get(way) or ():
            ports = {each["port"] for each in rule.get("ports", ())}
            if ports and port not in ports:
                continue
            peers: list[dict[str, Any]] = rule.get("to" if way == "egress" else "from", [])
            if any(
                "podSelector" in peer
                and "namespaceSelector" not in peer
                and selects(peer["podSelector"], others)
                for peer in peers
            ):
                return True
    return False
