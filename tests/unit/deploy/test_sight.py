"""Dashboards and alerts name metrics that the code has, runbooks that are written, and labels that are bounded."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import gateway.metrics
import note_generator.metrics
import pytest
import yaml
from manifests import ROOT, compose
from metric_names import ALERTS, DASHBOARDS, expressions, metrics_in, registered, without_suffix
from prometheus_client import REGISTRY

RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
OPERATIONS = {
    re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
    for heading in re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
}
UNBOUNDED = {
    "account",
    "account_id",
    "session",
    "session_id",
    "fix_id",
    "command_id",
    "user",
    "sub",
    "replica",
    "trace_id",
}


def rules() -> list[dict[str, str]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_has_a_severity_and_a_runbook_that_is_written(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert (ROOT / page).exists()
    assert anchor in OPERATIONS


def test_kubernetes_has_the_same_rules() -> None:
    resource = yaml.safe_load(
        (ROOT / "k8s" / "components" / "monitoring" / "prometheus-rule.yaml").read_text()
    )
    assert resource["spec"] == yaml.safe_load(ALERTS.read_text())


def test_every_metric_of_ours_that_is_named_exists_in_the_code() -> None:
    named = {
        name for expression in expressions() for name in metrics_in(expression) if name.startswith("rf_")
    }
    assert len(named) > 20
    assert named <= registered()


def test_what_an_alert_watches_for_its_first_rise_is_there_from_the_start() -> None:
    assert registered()
    for rule in rules():
        for name, label, value in re.findall(r'increase\((rf_\w+)(?:{(\w+)="(\w+)"})?\[', rule["expr"]):
            assert REGISTRY.get_sample_value(name, {label: value} if label else {}) is not None, rule["alert"]


def test_every_alert_is_raised_by_a_test_and_is_quiet_in_health() -> None:
    cases = yaml.safe_load(ALERTS.with_name("alerts.test.yaml").read_text())["tests"]
    tried = [
        (each["alertname"], bool(each.get("exp_alerts")))
        for case in cases
        for each in case["alert_rule_test"]
    ]
    assert set(tried) == {(rule["alert"], raised) for rule in rules() for raised in (True, False)}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_alerts_do_what_their_tests_say() -> None:
    command = ["promtool", "test", "rules", str(ALERTS.with_name("alerts.test.yaml"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_of_ours_is_on_a_dashboard_or_in_an_alert() -> None:
    named = {name for expression in expressions() for name in metrics_in(expression)}
    assert registered() - named == set()


def test_metrics_have_one_prefix_and_no_label_without_bounds() -> None:
    for name, labels in registered(labels=True):
        assert name.startswith("rf_")
        assert not UNBOUNDED & set(labels)


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: str(file.stem))
def test_a_dashboard_can_be_provisioned(file: Path) -> None:
    dashboard = json.loads(file.read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    assert dashboard["uid"]
    for panel in dashboard["panels"]:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        assert panel["type"] == "row" or all(target["expr"] for target in panel["targets"])


def test_grafana_of_compose_finds_the_dashboards_and_their_sources() -> None:
    folder = ALERTS.parent
    services = compose()["services"]
    [provider] = yaml.safe_load((folder / "dashboards.yml").read_text())["providers"]
    sources = yaml.safe_load((folder / "datasources.yml").read_text())["datasources"]
    mounted = {each["source"]: each["target"] for each in services["grafana"]["configs"]}
    for file in DASHBOARDS:
        assert mounted[f"dashboard_{file.stem}"] == f"{provider['options']['path']}/{file.name}"
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", ()):
                assert target["datasource"]["uid"] in {each["uid"] for each in sources}
    assert {urlsplit(each["url"]).hostname for each in sources} <= services.keys()


def test_prometheus_of_compose_scrapes_services_that_it_can_reach() -> None:
    jobs = yaml.safe_load((ALERTS.parent / "prometheus.yml").read_text())["scrape_configs"]
    services = compose()["services"]
    scraped = {name for job in jobs for each in job.get("dns_sd_configs", ()) for name in each["names"]}
    scraped |= {
        target.partition(":")[0]
        for job in jobs
        for each in job.get("static_configs", ())
        for target in each["targets"]
    }
    assert scraped == {"gateway", "fix-outcomes", "note-generator", "rabbitmq"}
    for name in scraped:
        assert set(services[name]["networks"]) & set(services["prometheus"]["networks"]), name


def test_the_objectives_are_measured_with_metrics_and_buckets_that_exist() -> None:
    objectives = (ROOT / "docs" / "slo.md").read_text()
    named = {without_suffix(name) for name in re.findall(r"\brf_[a-z_]+\b", objectives)}
    assert len(named) >= 4
    assert named <= registered()
    assert {"0.25", "40.0"} == set(re.findall(r'le="([\d.]+)"', objectives))
    assert 0.25 in gateway.metrics._BUCKETS
    assert 40.0 in note_generator.metrics.GENERATION_SECONDS._upper_bounds
