"""A server that is away is told of in a sentence; a fault of our own keeps its stack trace."""

import pytest
import typer

from shared import command_line


def failing(error: Exception) -> typer.Typer:
    cli = typer.Typer(pretty_exceptions_enable=False)

    @cli.command()
    def fail() -> None:
        raise error

    return cli


@pytest.fixture(autouse=True)
def no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["trial"])


def test_a_server_that_is_away_is_told_of_in_a_sentence() -> None:
    with pytest.raises(SystemExit, match="cannot go on: nobody listens there\n"):
        command_line.run(failing(ConnectionError("nobody listens there")), lambda: (OSError,))


def test_anything_else_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        command_line.run(failing(ZeroDivisionError()), lambda: (OSError,))
