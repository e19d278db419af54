"""The command line: `note-generator run`, and what an operator needs."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from shared.broker import BROKER_ERRORS
from shared.contracts.topology import NOTE_GENERATOR_STATE_CHANGES
from shared.contracts.vocabulary import Service
from shared.parked import ParkingLot
from shared.settings import read

from note_generator import users
from note_generator.cache import NoteCache
from note_generator.ledger import entries
from note_generator.outage import CacheAway
from note_generator.settings import (
    BrokerSettings,
    CacheSettings,
    Settings,
    UserFileSettings,
    UserSettings,
)
from shared import command_line, garbage, logs, parked_cli

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
cache_cli = typer.Typer(no_args_is_help=True, help="Redis: the services' users and their rights.")
cli.add_typer(cache_cli, name="cache")


@cli.callback()
def note_generator() -> None:
    """Keeps the resolution note and the escalation package in step with the record."""


@cli.command()
def run() -> None:
    """Consume state changes and previews until SIGTERM. Settings: environment variables NOTE_GENERATOR_*."""
    import uvicorn

    from note_generator.app import create_app
    from shared import telemetry

    settings = read(Settings)
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


@cache_cli.command("apply")
def cache_apply() -> None:
    """Make the services' users in a Redis that runs. Settings: CACHE_…"""
    settings = read(CacheSettings)
    kept = users.apply(settings.admin_url, _passwords(settings))
    typer.echo(
        f"cache: users are up to date{'' if kept else ', until Redis starts again: it has no ACL file'}"
    )


@cache_cli.command("users")
def cache_users(
    to: Annotated[Path, typer.Option(help="The file to write; it holds hashes of passwords")],
) -> None:
    """Write the ACL file that a Redis of our own starts with. Settings: CACHE_…"""
    settings = read(UserFileSettings)
    to.write_text(users.acl_file(_passwords(settings), administrator=settings.admin_password))
    typer.echo(f"cache: users are in {to}")


@cli.command()
def spent(
    account: Annotated[UUID, typer.Argument(help="The account")],
    day: Annotated[str, typer.Argument(help="Like 2026-11-02, in UTC; by default today")] = "",
    calls: Annotated[int, typer.Option(help="How many of the newest calls to show")] = 10,
) -> None:
    """Print what the model's calls for an account took on a day. Settings: NOTE_GENERATOR_REDIS_URL"""
    typer.echo(asyncio.run(_spent(account, day or f"{datetime.now(UTC):%Y-%m-%d}", calls)))


async def _spent(account: UUID, day: str, calls: int) -> str:
    settings = read(Settings)
    cache = NoteCache(
        url=settings.redis_url.get_secret_value(),
        timeout_s=5.0,
        ttl_s=settings.note_ttl_s,
        lease_s=settings.lease_s,
    )
    try:
        return json.dumps(await entries(cache, account, day, calls=calls), indent=2)
    finally:
        await cache.close()


def _passwords(settings: UserSettings) -> users.Passwords:
    return {
        Service.GATEWAY: settings.gateway_password,
        Service.NOTE_GENERATOR: settings.note_generator_password,
    }


def _parking_lot() -> ParkingLot:
    return ParkingLot(
        url=read(BrokerSettings).amqp_url.get_secret_value(),
        queue=NOTE_GENERATOR_STATE_CHANGES,
        user=Service.NOTE_GENERATOR,
    )


cli.add_typer(parked_cli.commands(_parking_lot), name="parked")


def main() -> None:
    """The command line; a server that is away is told of in a sentence."""
    command_line.run(cli, lambda: (CacheAway, *users.AWAY, *BROKER_ERRORS))


if __name__ == "__main__":
    main()
