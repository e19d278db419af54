import uuid
from pathlib import Path

import jwt
import pytest
from devstack.cli import app
from devstack.state import State
from typer.testing import CliRunner, Result


def run(*arguments: str, folder: Path) -> Result:
    return CliRunner().invoke(app, [*arguments, "--run-dir", str(folder)])


def test_ending_what_never_ran_is_no_error(tmp_path: Path) -> None:
    assert run("down", folder=tmp_path / "none").exit_code == 0
    assert run("down", folder=tmp_path).exit_code == 0


def test_the_status_of_nothing_is_not_well(tmp_path: Path) -> None:
    result = run("status", folder=tmp_path)

    assert (result.exit_code, result.output) == (1, "nothing is up\n")


def test_a_token_is_printed_alone_so_that_a_script_can_use_it(tmp_path: Path) -> None:
    secret, account = State.load(tmp_path).secret("jwt"), str(uuid.uuid4())

    result = run("token", "--account", account, "--role", "lead", folder=tmp_path)

    claims = jwt.decode(result.stdout.strip(), secret, algorithms=["HS256"], audience="resolutionflow")
    assert (claims["account_id"], claims["role"]) == (account, "lead")


@pytest.mark.parametrize("wrong", [("--role", "king"), ("--account", "acme"), ("--sub", "7")])
def test_a_token_that_the_gateway_would_refuse_is_not_made(tmp_path: Path, wrong: tuple[str, str]) -> None:
    State.load(tmp_path).secret("jwt")

    assert run("token", *wrong, folder=tmp_path).exit_code == 1


def test_each_line_of_a_log_says_whose_it_is(tmp_path: Path) -> None:
    state = State.load(tmp_path)
    state.logs.mkdir()
    state.log("gateway").write_text("one\ntwo\nthree\n")
    state.log("redis").write_bytes(b"\xff broken\n")

    result = run("logs", "--lines", "2", folder=tmp_path)

    assert [line.split(" | ") for line in result.stdout.splitlines()] == [
        ["         gateway", "two"],
        ["         gateway", "three"],
        ["           redis", "? broken"],
    ]


def test_the_log_of_an_unknown_process_is_an_error(tmp_path: Path) -> None:
    state = State.load(tmp_path)
    state.logs.mkdir()
    state.log("gateway").write_text("one\n")

    result = run("logs", "gatway", folder=tmp_path)

    assert result.exit_code == 1
    assert "no log of gatway" in result.output
    assert "those there: gateway" in result.output


@pytest.mark.parametrize("replicas", ["gateway", "gateway=x", "gateway=0", "postgres=2"])
def test_replicas_that_make_no_sense_start_nothing(tmp_path: Path, replicas: str) -> None:
    assert run("up", "--replicas", replicas, folder=tmp_path).exit_code == 1
    assert not (tmp_path / "state.json").exists()


def test_the_demo_starts_nothing_for_tickets_that_cannot_be_played(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")

    assert run("demo", str(tmp_path), folder=tmp_path / "run").exit_code == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("alone", [("--gateway", "http://127.0.0.1:9"), ("--secret", "jwt")])
def test_the_demo_plays_elsewhere_only_with_that_gateways_secret(
    tmp_path: Path, alone: tuple[str, str]
) -> None:
    result = run("demo", *alone, folder=tmp_path)

    assert result.exit_code == 1
    assert not (tmp_path / "state.json").exists()


def test_the_demo_says_when_nobody_answers_elsewhere_and_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "jwt").write_text("x" * 32)

    result = run(
        "demo", "--gateway", "http://127.0.0.1:9", "--secret", str(tmp_path / "jwt"), folder=tmp_path / "run"
    )

    assert result.exit_code == 1
    assert "nobody answers" in result.output
    assert not (tmp_path / "run").exists()
