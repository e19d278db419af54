"""What schemas cannot see: that the manifests fit each other and the services that they run."""

import base64
import json
import re

import pytest
import yaml
from manifests import (
    CUSTOM,
    ROOT,
    WORKLOADS,
    Resource,
    copied,
    labels_of,
    name_of,
    of_kind,
    pod_of,
    put_together,
    renderer,
    resources,
    selects,
)
from unit.deploy.deployed_settings import given_to, required_by, settings_of

from shared import health

SERVICES = ("gateway", "fix-outcomes", "note-generator")
RABBITMQ = {"amqps", "management-tls", "prometheus-tls"}
"""The ports of the Service that RabbitMQ's operator makes where nothing is without TLS."""


async def unasked() -> dict[str, bool]:
    return {}


PATHS = {path for path, _ in health.routes(unasked)}


def workloads(overlay: str) -> list[Resource]:
    return of_kind(overlay, *WORKLOADS)


def containers(overlay: str) -> list[tuple[Resource, Resource]]:
    return [
        (workload, container)
        for workload in workloads(overlay)
        for container in (*pod_of(workload)["containers"], *pod_of(workload).get("initContainers", ()))
    ]


def ours(overlay: str) -> list[tuple[Resource, Resource]]:
    return [(workload, each) for workload, each in containers(overlay) if "resolutionflow/" in each["image"]]


class TestSelectors:
    def test_a_workload_selects_its_own_pods(self, overlay: str) -> None:
        for workload in of_kind(overlay, "Deployment", "StatefulSet"):
            assert selects(workload["spec"]["selector"], labels_of(workload)), name_of(workload)

    def test_a_service_selects_the_pods_of_its_name_and_their_ports(self, overlay: str) -> None:
        by_name = {name_of(workload): workload for workload in workloads(overlay)}
        for service in of_kind(overlay, "Service"):
            workload = by_name[name_of(service)]
            assert selects({"matchLabels": service["spec"]["selector"]}, labels_of(workload))
            ports = {port["name"] for each in pod_of(workload)["containers"] for port in each["ports"]}
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports

    def test_every_other_selector_takes_somebodys_pods(self, overlay: str) -> None:
        pods = [labels_of(each) for each in of_kind(overlay, *WORKLOADS, *CUSTOM)]
        services = [
            each["metadata"].get("labels", {}) for each in of_kind(overlay, "Service", "RabbitmqCluster")
        ]
        for each in of_kind(overlay, "PodDisruptionBudget"):
            assert any(selects(each["spec"]["selector"], labels) for labels in pods), name_of(each)
        for each in of_kind(overlay, "ServiceMonitor"):
            assert any(selects(each["spec"]["selector"], labels) for labels in services), name_of(each)

    def test_what_scales_is_there(self, overlay: str) -> None:
        names = {name_of(each) for each in of_kind(overlay, "Deployment")}
        scaled = of_kind(overlay, "HorizontalPodAutoscaler", "ScaledObject")
        assert {each["spec"]["scaleTargetRef"]["name"] for each in scaled} <= names

    def test_a_service_monitor_names_a_port_of_its_service(self, overlay: str) -> None:
        ports = {
            name_of(each): {port["name"] for port in each["spec"]["ports"]}
            for each in of_kind(overlay, "Service")
        } | {name_of(each): RABBITMQ for each in of_kind(overlay, "RabbitmqCluster")}
        for monitor in of_kind(overlay, "ServiceMonitor"):
            for endpoint in monitor["spec"]["endpoints"]:
                assert endpoint["port"] in ports[name_of(monitor)]
                assert endpoint["path"] in PATHS | {"/metrics/detailed"}

    def test_the_brokers_queues_are_scraped_the_same_way_everywhere(self, overlay: str) -> None:
        jobs = yaml.safe_load((ROOT / "deploy" / "observability" / "prometheus.yml").read_text())
        asked = {
            (each.get("metrics_path", "/metrics"), str(each.get("params"))) for each in jobs["scrape_configs"]
        }
        for monitor in of_kind(overlay, "ServiceMonitor"):
            for endpoint in monitor["spec"]["endpoints"]:
                assert (endpoint["path"], str(endpoint.get("params"))) in asked

    def test_only_one_says_how_many_there_are(self, overlay: str) -> None:
        scaled = of_kind(overlay, "HorizontalPodAutoscaler", "ScaledObject")
        names = {each["spec"]["scaleTargetRef"]["name"] for each in scaled}
        for each in of_kind(overlay, "Deployment"):
            assert ("replicas" in each["spec"]) == (name_of(each) not in names), name_of(each)

    def test_keda_watches_queues_that_exist(self, overlay: str) -> None:
        from shared.contracts import topology

        queues = {queue.name for queue in topology.queues()}
        for each in of_kind(overlay, "ScaledObject"):
            assert {trigger["metadata"]["queueName"] for trigger in each["spec"]["triggers"]} <= queues


class TestContainers:
    def test_probes_ask_what_the_code_answers_on_a_port_that_is_named(self, overlay: str) -> None:
        for _, container in ours(overlay):
            ports = {port["name"] for port in container.get("ports", ())}
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                if kind in container:
                    asked = container[kind]["httpGet"]
                    assert asked["path"] in PATHS
                    assert asked["port"] in ports

    def test_alive_is_not_ready(self, overlay: str) -> None:
        for workload, container in ours(overlay):
            if workload["kind"] == "Deployment":
                assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
                assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"

    def test_the_port_is_the_one_that_the_image_listens_on(self, overlay: str) -> None:
        listens = set(re.findall(r"[A-Z_]+_PORT=(\d+)", (ROOT / "Dockerfile").read_text()))
        for _, container in ours(overlay):
            for port in container.get("ports", ()):
                assert {str(port["containerPort"])} == listens

    def test_every_setting_that_is_given_exists_and_every_one_that_is_needed_is_given(
        self, overlay: str
    ) -> None:
        for workload, container in ours(overlay):
            known, given = settings_of(container), given_to(overlay, pod_of(workload), container)
            assert given <= known, (name_of(workload), given - known)
            if overlay == "overlays/dev":
                missing = required_by(container) - given
                assert not missing, (name_of(workload), missing)

    def test_pods_are_restricted(self, overlay: str) -> None:
        for workload in workloads(overlay):
            pod = pod_of(workload)
            assert pod["automountServiceAccountToken"] is False
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["runAsUser"] > 0
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for _, container in containers(overlay):
            confined = container["securityContext"]
            assert confined["allowPrivilegeEscalation"] is False
            assert confined["readOnlyRootFilesystem"] is True
            assert confined["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]

    def test_nothing_runs_a_moving_tag(self, overlay: str) -> None:
        for _, container in containers(overlay):
            assert re.search(r":[^/]+$|@sha256:", container["image"])
            assert not container["image"].endswith(":latest")

    def test_production_names_digests(self, overlay: str) -> None:
        if overlay == "overlays/production":
            for _, container in containers(overlay):
                assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"]), container["image"]

    def test_there_is_time_to_end(self, overlay: str) -> None:
        for workload, container in ours(overlay):
            if workload["kind"] != "Deployment":
                continue
            settings = plain_settings(overlay, container)
            before = int(
                container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])[1]
            )
            shutdown, drain = settings["SHUTDOWN_S"], settings.get("DRAIN_S", 0.0)
            assert drain < shutdown
            assert before + shutdown + 2 <= pod_of(workload)["terminationGracePeriodSeconds"]

    def test_no_request_is_lost_by_an_update(self, overlay: str) -> None:
        for workload in of_kind(overlay, "Deployment"):
            assert workload["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        [gateway] = [each for _, each in ours(overlay) if each["name"] == "gateway"]
        assert "preStop" in gateway["lifecycle"]
        assert plain_settings(overlay, gateway)["DRAIN_S"] > 0


def plain_settings(overlay: str, container: Resource) -> dict[str, float]:
    """The numbers among a container's settings, by their names without the service's prefix."""
    [reference] = container["envFrom"]
    name = reference["configMapRef"]["name"]
    data = next(each["data"] for each in of_kind(overlay, "ConfigMap") if name_of(each) == name)
    prefix = container["name"].upper().replace("-", "_") + "_"
    return {
        key.removeprefix(prefix): float(value)
        for key, value in data.items()
        if re.fullmatch(r"[\d.]+", value)
    }


def test_secrets_are_nowhere_but_in_files(overlay: str) -> None:
    for workload in workloads(overlay):
        text = str(workload)
        assert "secretKeyRef" not in text
        assert not re.search(r"(amqps?|postgresql|rediss?)://", text)
    for secret in of_kind(overlay, "Secret"):
        assert overlay == "overlays/dev"
        for value in secret["data"].values():
            assert "example" not in base64.b64decode(value).decode()


def test_a_namespace_enforces_restricted_pods() -> None:
    for overlay in ("overlays/dev", "overlays/production"):
        [namespace] = of_kind(overlay, "Namespace")
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.skipif(renderer() is None, reason="neither kubectl nor kustomize is installed")
def test_what_we_put_together_ourselves_is_what_kustomize_makes(overlay: str) -> None:
    """Where there is no kustomize the tests look at our own rendering; this says that it may be believed."""
    made, ours_ = resources(overlay), put_together(copied() / "k8s" / overlay)

    assert {_essence(each) for each in ours_} == {_essence(each) for each in made}


def _essence(resource: Resource) -> str:
    """A resource without what names and places it: hashes at the ends of names, namespace, added labels."""
    text = json.dumps(
        {key: resource[key] for key in ("kind", "spec", "data") if key in resource}, sort_keys=True
    )
    if resource["kind"] == "Secret":
        text = text.replace("\\n", "")
    text = re.sub(r'"app.kubernetes.io/part-of": "resolutionflow"(, )?', "", text)
    return re.sub(r"(-(settings|secrets|configuration|admin))-[a-z0-9]{10}\"", r'\1"', text).replace(
        ", }", "}"
    )
