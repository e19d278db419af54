import os
import shutil
import subprocess
from pathlib import Path

import pytest
from devstack import install
from devstack.binaries import NotInstalledError


def absent() -> Path:
    raise NotInstalledError("nowhere")


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        install, "PACKAGES", {name: (variable, absent) for name, (variable, _) in install.PACKAGES.items()}
    )


@pytest.mark.usefixtures("nothing_installed")
def test_who_may_not_install_is_told_the_exact_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(
        NotInstalledError, match="apt-get install -y --no-install-recommends postgresql rabbit"
    ):
        install.ensure_installed({})


@pytest.mark.usefixtures("nothing_installed")
def test_a_server_that_is_given_by_url_need_not_be_installed() -> None:
    given = {"RF_DATABASE_URL": "…", "RF_AMQP_URL": "…"}

    assert install.missing(given) == ("redis-server",)


@pytest.mark.usefixtures("nothing_installed")
def test_nothing_that_is_installed_gets_started_and_the_rule_for_it_goes_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy, calls = tmp_path / "policy-rc.d", []

    def apt_get(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append((command[-1], policy.read_text(), policy.stat().st_mode & 0o777))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(install, "START_POLICY", policy)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(subprocess, "run", apt_get)

    with pytest.raises(NotInstalledError, match="not to be found"):
        install.ensure_installed({"RF_DATABASE_URL": "…", "RF_AMQP_URL": "…"})

    assert calls[-1] == ("redis-server", "#!/bin/sh\nexit 101\n", 0o755)
    assert not policy.exists()


@pytest.mark.usefixtures("nothing_installed")
def test_a_policy_that_the_machine_has_already_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")
    monkeypatch.setattr(install, "START_POLICY", policy)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(
        subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 100, "", "no network")
    )

    with pytest.raises(NotInstalledError, match="no network"):
        install.ensure_installed({})

    assert policy.read_text() == "theirs"
