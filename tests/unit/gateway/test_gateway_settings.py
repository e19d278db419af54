"""The settings: what is missing or contradictory is told at the start, without showing secrets."""

import sys
from pathlib import Path
from typing import Any

import pytest
from gateway.__main__ import main
from gateway.settings import Settings
from pydantic import ValidationError
from unit.gateway.gateway_doubles import SECRET, settings

GIVEN = {
    "GATEWAY_PORT": "8080",
    "GATEWAY_AMQP_URL": "amqp://gateway:hunter2@broker.test",
    "GATEWAY_REDIS_URL": "redis://cache.test",
    "GATEWAY_OPERATION_KEY": "a key for operation ids",
    "GATEWAY_JWT_SECRET": SECRET,
}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["gateway"])
    return monkeypatch


def test_algorithms_are_given_with_commas(given: pytest.MonkeyPatch) -> None:
    given.setenv("GATEWAY_JWT_ALGORITHMS", "RS256, ES256")
    assert Settings().jwt_algorithms == ("RS256", "ES256")


@pytest.mark.parametrize("changed", [{"jwt_secret": None}, {"jwks_file": Path("jwks.json")}])
def test_there_is_exactly_one_kind_of_key(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="give one of"):
        settings(**changed)


@pytest.mark.parametrize("algorithms", ["none", "HS512", ""])
def test_an_algorithm_outside_the_list_is_refused(given: pytest.MonkeyPatch, algorithms: str) -> None:
    given.setenv("GATEWAY_JWT_ALGORITHMS", algorithms)
    with pytest.raises(ValidationError):
        Settings()


def test_a_bad_setting_ends_the_start_with_its_name_and_no_secret(given: pytest.MonkeyPatch) -> None:
    given.delenv("GATEWAY_REDIS_URL")
    given.setenv("GATEWAY_JWT_SECRET", "hunter2")
    with pytest.raises(SystemExit) as ended:
        main()
    assert "GATEWAY_REDIS_URL" in str(ended.value)
    assert "GATEWAY_JWT_SECRET" in str(ended.value)
    assert "hunter2" not in str(ended.value)


def test_settings_do_not_print_their_secrets(given: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in repr(Settings())
    assert SECRET not in repr(Settings())


def test_help_names_every_setting(given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    given.setattr(sys, "argv", ["gateway", "--help"])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr().out
    assert all(f"GATEWAY_{name.upper()}" in told for name in Settings.model_fields)
