"""The command line: `note-generator run`, and what an operator needs."""

import typer
import uvicorn
from shared.contracts.topology import NOTE_GENERATOR_STATE_CHANGES
from shared.contracts.vocabulary import Service
from shared.parked import ParkingLot

from note_generator.app import create_app
from note_generator.settings import BrokerSettings, Settings
from shared import garbage, logs, parked_cli, telemetry

main = typer.Typer(no_args_is_help=True, add_completion=False)


@main.callback()
def note_generator() -> None:
    """Keeps the resolution note and the escalation package in step with the record."""


@main.command()
def run() -> None:
    """Consume state changes and previews until SIGTERM. Settings: environment variables NOTE_GENERATOR_*."""
    settings = Settings()
    logs.configure(service=Service.NOTE_GENERATOR, replica=settings.replica, level=settings.log_level)
    telemetry.configure_by(settings, service=Service.NOTE_GENERATOR)
    app = create_app(settings)
    garbage.collect_seldom()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        lifespan="on",
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_s / 4)),
    )


def _parking_lot() -> ParkingLot:
    return ParkingLot(
        url=BrokerSettings().amqp_url.get_secret_value(),
        queue=NOTE_GENERATOR_STATE_CHANGES,
        user=Service.NOTE_GENERATOR,
    )


main.add_typer(parked_cli.commands(_parking_lot), name="parked")

if __name__ == "__main__":
    main()
