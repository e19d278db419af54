"""Settings come from the environment or from files, and keep their secrets."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from shared.settings import ServiceSettings

from shared import settings

URL = "amqp://gateway:correct-horse@broker.example/"


@pytest.fixture
def kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[ServiceSettings]:
    """Settings of a service whose secret files are in `tmp_path`."""
    monkeypatch.setattr(settings, "_SECRETS", tmp_path)

    class Settings(ServiceSettings):
        model_config = settings.from_environment("TRIAL_")

        port: int = 1
        password: SecretStr = SecretStr("")

    return Settings


def test_a_variable_is_read_under_the_services_prefix(
    kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAL_AMQP_URL", URL)
    monkeypatch.setenv("TRIAL_PORT", "8123")
    monkeypatch.setenv("PORT", "9")

    assert kind().port == 8123
    assert kind().amqp_url.get_secret_value() == URL


def test_a_secret_is_read_from_a_file(kind: type[ServiceSettings], tmp_path: Path) -> None:
    (tmp_path / "trial_amqp_url").write_text(URL + "\n")

    assert kind().amqp_url.get_secret_value() == URL


def test_a_variable_wins_over_a_file(
    kind: type[ServiceSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trial_amqp_url").write_text("amqp://from-a-file/")
    monkeypatch.setenv("TRIAL_AMQP_URL", URL)

    assert kind().amqp_url.get_secret_value() == URL


def test_a_missing_setting_is_named(kind: type[ServiceSettings]) -> None:
    with pytest.raises(ValidationError, match="amqp_url"):
        kind()


def test_what_is_missing_ends_the_start_with_its_name_and_what_it_is(kind: type[ServiceSettings]) -> None:
    with pytest.raises(SystemExit, match="TRIAL_AMQP_URL is missing: RabbitMQ"):
        settings.read(kind)


@pytest.mark.parametrize("url", ["broker.example", "http://broker.example", "amqp://", ""])
def test_what_is_no_address_ends_the_start_and_is_not_repeated(
    kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("TRIAL_AMQP_URL", url)
    with pytest.raises(SystemExit) as ended:
        settings.read(kind)
    assert str(ended.value).endswith("\n  TRIAL_AMQP_URL is no address that begins with amqp://")


def test_good_settings_are_read(kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_AMQP_URL", URL)
    assert settings.read(kind).port == 1


def test_no_secret_is_shown(kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_AMQP_URL", URL)

    given = kind()

    for shown in (repr(given), str(given), str(given.model_dump()), given.model_dump_json()):
        assert "correct-horse" not in shown


def test_no_secret_is_shown_when_another_setting_is_wrong(
    kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAL_AMQP_URL", URL)
    monkeypatch.setenv("TRIAL_REPLICA", "no spaces")

    with pytest.raises(ValidationError) as refusal:
        kind()

    assert "replica" in str(refusal.value)
    assert "correct-horse" not in str(refusal.value)


def test_settings_do_not_change(kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAL_AMQP_URL", URL)
    with pytest.raises(ValidationError, match="frozen"):
        kind().port = 2


@pytest.mark.parametrize("replica", ["a.b", "a b", "", "x" * 101, "a*", "a#", "ä"])
def test_a_replicas_name_fits_into_a_queues_name(
    kind: type[ServiceSettings], monkeypatch: pytest.MonkeyPatch, replica: str
) -> None:
    """Its broker user may declare `<service>.<replica>.<connection>.replies` and nothing else."""
    monkeypatch.setenv("TRIAL_AMQP_URL", URL)
    monkeypatch.setenv("TRIAL_REPLICA", replica)
    with pytest.raises(ValidationError, match="replica"):
        kind()
