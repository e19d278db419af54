"""What the command lines of the services have in common."""

import logging
from collections.abc import Callable

import typer


def run(commands: typer.Typer, away: Callable[[], tuple[type[Exception], ...]]) -> None:
    """Run a command line. Where a server is away, or refuses, there is a sentence instead of a stack trace.

    `away` names the errors that mean this; it is asked only when something was raised.
    """
    # What libraries say of a server that is away, the sentence says; who wants logs configures them.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        commands()
    except Exception as error:
        if not isinstance(error, away()):
            raise
        reason = str(error) or str(error.__cause__) or type(error).__name__
        raise SystemExit(
            f"cannot go on: {reason}\nDo the addresses in the settings name servers that are up, with the right logins?"
        ) from error
