"""The command line: `run` the service, and what its administration needs.

What only one command needs is imported there: each is run by itself, many times a day, and starting is most of it.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from shared.broker import BROKER_ERRORS
from shared.contracts.topology import FIX_OUTCOMES_COMMANDS
from shared.contracts.vocabulary import Service
from shared.parked import ParkingLot
from shared.settings import read

from fix_outcomes import psa, topology
from fix_outcomes.settings import (
    BrokerAdminSettings,
    BrokerSettings,
    DatabaseSettings,
    OwnerSettings,
    Settings,
    TopologySettings,
)
from shared import command_line, garbage, logs, parked_cli

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
database_cli = typer.Typer(no_args_is_help=True, help="Postgres: roles and tables.")
topology_cli = typer.Typer(no_args_is_help=True, help="RabbitMQ: exchanges, queues, users and permissions.")
journal_cli = typer.Typer(no_args_is_help=True, help="The journal: what was recorded, and told.")
cli.add_typer(database_cli, name="database")
cli.add_typer(topology_cli, name="topology")
cli.add_typer(journal_cli, name="journal")
psa_cli = typer.Typer(no_args_is_help=True, help="The broker users of PSA tools.")
topology_cli.add_typer(psa_cli, name="psa")


@cli.command()
def run() -> None:
    """Run the service. Settings: FIX_OUTCOMES_… in the environment or under /run/secrets."""
    import uvicorn

    from fix_outcomes.app import create_app
    from shared import telemetry

    settings = read(Settings)
    logs.configure(service="fix-outcomes", replica=settings.replica, level=settings.log_level)
    telemetry.configure_by(settings, service=Service.FIX_OUTCOMES)
    app = create_app(settings)
    garbage.collect_seldom()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(settings.shutdown_s),
    )


@database_cli.command("apply")
def database_apply() -> None:
    """Make the roles and migrate to the newest revision. Settings: DATABASE_…"""
    from fix_outcomes import provisioning

    settings = read(DatabaseSettings)
    provisioning.run(
        settings.admin_url,
        {"fix_outcomes": settings.runtime_password, "fix_outcomes_relay": settings.relay_password},
    )
    typer.echo("database: roles and tables are up to date")


@topology_cli.command("apply")
def topology_apply() -> None:
    """Declare everything in RabbitMQ through its management API. Settings: TOPOLOGY_…"""
    settings = read(TopologySettings)
    topology.apply(settings.api_url, _definitions(settings))
    typer.echo("topology: exchanges, queues, users and permissions are up to date")


@topology_cli.command("definitions")
def topology_definitions(indent: Annotated[int, typer.Option(help="Spaces to indent by")] = 2) -> None:
    """Print RabbitMQ's definitions, as a broker can boot from them (with hashed passwords)."""
    typer.echo(json.dumps(_definitions(read(TopologySettings)), indent=indent))


@psa_cli.command("add")
def psa_add(account: Annotated[UUID, typer.Argument(help="The account")]) -> None:
    """Make an account's user, and print its connection string, once, with a subscriber to begin with."""
    with _refusing():
        _tell_of_user(account, _psa().add(account))
    typer.echo(f"\n{psa.example(account)}")


@psa_cli.command("rotate")
def psa_rotate(account: Annotated[UUID, typer.Argument(help="The account")]) -> None:
    """Give an account's user a new password, and print its connection string, once."""
    with _refusing():
        _tell_of_user(account, _psa().rotate(account))


@psa_cli.command("remove")
def psa_remove(account: Annotated[UUID, typer.Argument(help="The account")]) -> None:
    """Delete an account's user and its queues, with what waits in them."""
    with _refusing():
        typer.echo(f"removed, with {_psa().remove(account)} queues")


@psa_cli.command("list")
def psa_list() -> None:
    """Every account that has a user, its queues, and how many messages wait in them."""
    for subscriber in _psa().everyone():
        typer.echo(f"{subscriber.account_id}  queues {subscriber.queues}  messages {subscriber.messages}")


def _psa() -> psa.PsaUsers:
    settings = read(BrokerAdminSettings)
    return psa.PsaUsers(settings.api_url, vhost=settings.vhost)


def _tell_of_user(account: UUID, password: str) -> None:
    typer.echo(psa.connection_string(read(BrokerAdminSettings).psa_amqp_url, account, password))
    typer.echo("This is shown once; nobody can read it again.", err=True)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except psa.PsaError as error:
        raise SystemExit(str(error)) from error


@journal_cli.command("replay")
def journal_replay(
    session: Annotated[UUID | None, typer.Option(help="One session's events")] = None,
    since: Annotated[datetime | None, typer.Option(help="Events since this moment, UTC")] = None,
) -> None:
    """Publish events again, with the same ids, in order; what the relay has yet to publish is left to it.

    Settings: FIX_OUTCOMES_…
    """
    from shared.publisher import NotPublished

    from fix_outcomes import republishing

    if session is None and since is None:
        raise typer.BadParameter("say --session or --since")
    moment = since.replace(tzinfo=UTC) if since and since.tzinfo is None else since
    settings = read(Settings)
    logs.configure(service="fix-outcomes", replica=settings.replica, level="warning")
    report = republishing.replay(
        settings, session_id=session, since=moment, report=lambda done: typer.echo(f"{done} …", err=True)
    )
    try:
        published = asyncio.run(report)
        nothing = "" if published else ": the journal has no such entry, or the relay is about to publish it"
        typer.echo(f"{published} events published{nothing}")
    except NotPublished as error:
        raise SystemExit(f"not finished: {error}. Run it again: repeats do no harm.") from error


@cli.command()
def verify() -> None:
    """Hold the whole record against itself (S4, S5, S8), and say what is wrong. Settings: DATABASE_ADMIN_URL"""
    from fix_outcomes.storage import verification

    entries, checks = asyncio.run(verification.verify(read(OwnerSettings).admin_url.get_secret_value()))
    for check in checks:
        typer.echo(f"{check.invariant}  {'ok   ' if not check.violations else 'WRONG'}  {check.claim}")
        for example in check.examples:
            typer.echo(f"           {example}")
        if check.violations > len(check.examples):
            typer.echo(f"           … and {check.violations - len(check.examples)} more")
    wrong = sum(check.violations for check in checks)
    typer.echo(f"{entries} journal entries, {wrong} violations")
    raise typer.Exit(1 if wrong else 0)


def _parking_lot() -> ParkingLot:
    return ParkingLot(
        url=read(BrokerSettings).amqp_url.get_secret_value(),
        queue=FIX_OUTCOMES_COMMANDS,
        user=Service.FIX_OUTCOMES,
    )


def _definitions(settings: TopologySettings) -> dict[str, Any]:
    passwords = {
        Service.GATEWAY: settings.gateway_password,
        Service.FIX_OUTCOMES: settings.fix_outcomes_password,
        Service.NOTE_GENERATOR: settings.note_generator_password,
    }
    return topology.definitions(
        passwords, vhost=settings.vhost, replicate_questions=settings.replicate_questions
    )


cli.add_typer(parked_cli.commands(_parking_lot), name="parked")


def main() -> None:
    """The command line; a server that is away is told of in a sentence."""
    command_line.run(cli, _away)


def _away() -> tuple[type[Exception], ...]:
    from fix_outcomes import provisioning

    return (*topology.AWAY, *provisioning.AWAY, *BROKER_ERRORS)


if __name__ == "__main__":
    main()
