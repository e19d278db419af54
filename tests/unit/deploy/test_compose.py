"""docker-compose.yml fits the services, their secrets and the arrows of the architecture."""

import re
import subprocess
from itertools import combinations
from pathlib import Path

import pytest
from manifests import ROOT, Resource, compose
from unit.deploy.deployed_settings import model, names

SERVICES = ("gateway", "fix-outcomes", "note-generator")
ONE_SHOTS = {"redis-users": "note-generator", "migrate": "fix-outcomes", "topology": "fix-outcomes"}
OURS = {**{name: name for name in SERVICES}, **ONE_SHOTS}


def service(name: str) -> Resource:
    return dict(compose()["services"][name])


def secrets_of(name: str) -> set[str]:
    return {each if isinstance(each, str) else each["source"] for each in service(name).get("secrets", ())}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets") / "made"
    for _ in range(2):  # it may be run again
        subprocess.run([ROOT / "deploy" / "secrets", folder], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", OURS)
def test_every_setting_that_is_given_exists_and_every_one_that_is_needed_is_given(name: str) -> None:
    settings = model(OURS[name], " ".join(service(name).get("command", ["run"])[:2]))
    given = secrets_of(name) | {key.lower() for key in service(name).get("environment", {})}
    by_the_image = {f"{name.replace('-', '_')}_port"} if name in SERVICES else set()
    assert given <= names(settings)
    assert names(settings, required=True) <= given | by_the_image


def test_every_secret_is_made_by_the_script_and_every_secret_that_is_made_is_one(made: Path) -> None:
    files = {each.name for each in made.iterdir()}
    wanted = {Path(each["file"]).name for each in compose()["secrets"].values()}
    assert wanted <= files
    assert files - wanted == {"rabbitmq_password"}
    assert made.stat().st_mode & 0o077 == 0


def test_secrets_that_are_there_are_kept(made: Path) -> None:
    before = {each.name: each.read_text() for each in made.iterdir()}
    subprocess.run([ROOT / "deploy" / "secrets", made], check=True, capture_output=True)
    assert {each.name: each.read_text() for each in made.iterdir()} == before


@pytest.mark.parametrize("name", list(compose()["services"]))
def test_nothing_runs_without_limits_a_tag_and_a_word_on_restarts(name: str) -> None:
    limits = service(name)["deploy"]["resources"]["limits"]
    assert {"cpus", "memory"} <= limits.keys()
    assert re.search(r":\$\{[A-Z_]+:-[^}]+\}$", service(name)["image"])
    assert "latest" not in service(name)["image"]
    assert service(name)["restart"] in {"unless-stopped", "on-failure:10"}


@pytest.mark.parametrize("name", OURS)
def test_what_is_ours_is_confined(name: str) -> None:
    assert service(name)["read_only"] is True
    assert service(name)["cap_drop"] == ["ALL"]
    assert service(name)["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["postgres", "rabbitmq", "redis"])
def test_servers_say_when_they_are_healthy_and_nobody_outside_reaches_them(name: str) -> None:
    assert service(name)["healthcheck"]["test"]
    assert "ports" not in service(name)
    assert all(compose()["networks"][network]["internal"] for network in service(name)["networks"])


def test_services_wait_for_what_prepares_their_servers() -> None:
    for name in SERVICES:
        conditions = {each["condition"] for each in service(name)["depends_on"].values()}
        assert conditions <= {"service_healthy", "service_completed_successfully"}
        assert "topology" in service(name)["depends_on"]
    assert "migrate" in service("fix-outcomes")["depends_on"]


def test_only_the_gateway_and_the_sights_listen_on_this_machine_and_on_loopback_alone() -> None:
    published = {name: each["ports"] for name, each in compose()["services"].items() if "ports" in each}
    assert published.keys() == {"gateway", "prometheus", "grafana", "jaeger"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_networks_connect_along_the_arrows_of_the_architecture() -> None:
    parties = (*SERVICES, "migrate", "topology", "postgres", "rabbitmq", "redis")
    sights = {"sight", "front", "outside"}
    connected = {
        frozenset(pair)
        for pair in combinations(parties, 2)
        if (set(service(pair[0])["networks"]) & set(service(pair[1])["networks"])) - sights
    }
    servers = {"postgres", "rabbitmq", "redis"}
    arrows = {tuple(sorted(pair)) for pair in connected if pair & servers and not pair <= servers}
    assert arrows == {
        ("gateway", "rabbitmq"),
        ("gateway", "redis"),
        ("fix-outcomes", "rabbitmq"),
        ("fix-outcomes", "postgres"),
        ("note-generator", "rabbitmq"),
        ("note-generator", "redis"),
        ("migrate", "postgres"),
        ("rabbitmq", "topology"),
    }


def test_the_image_is_built_from_every_members_project_file() -> None:
    recipe = (ROOT / "Dockerfile").read_text()
    for project in ("shared", "dev", "tests", *(f"services/{name}" for name in SERVICES)):
        assert f"COPY {project}/pyproject.toml {project}/" in recipe


def test_the_image_takes_nothing_that_the_build_does_not_need() -> None:
    taken = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    assert {"pyproject.toml", "uv.lock", "shared", "services"} <= taken
    assert not {"tests", "dev", "secrets", ".git", "docs"} & taken


def test_no_file_names_a_machines_own_paths_or_a_registry() -> None:
    files = [
        ROOT / "Dockerfile",
        ROOT / "docker-compose.yml",
        *ROOT.glob("k8s/**/*.yaml"),
        *ROOT.glob("deploy/**/*"),
    ]
    for file in (each for each in files if each.is_file()):
        text = file.read_text()
        assert not re.search(r"/(work|home|root/(?!\.cache))", text), file
        assert not re.search(r"\b(ghcr\.io|quay\.io|docker\.io|gcr\.io|[\w.]+\.azurecr\.io)\b", text), file
