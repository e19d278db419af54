"""The command line: `note-generator run`."""

import typer
import uvicorn
from shared.contracts.vocabulary import Service

from note_generator.app import create_app
from note_generator.settings import Settings
from shared import logs

main = typer.Typer(no_args_is_help=True, add_completion=False)


@main.callback()
def note_generator() -> None:
    """Keeps the resolution note and the escalation package in step with the record."""


@main.command()
def run() -> None:
    """Consume state changes and previews until SIGTERM. Settings: environment variables NOTE_GENERATOR_*."""
    settings = Settings()
    logs.configure(service=Service.NOTE_GENERATOR, replica=settings.replica, level=settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        lifespan="on",
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_s / 4)),
    )


if __name__ == "__main__":
    main()
