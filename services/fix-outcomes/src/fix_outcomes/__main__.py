"""The command line: `run` the service, and what its administration needs."""

import json
from typing import Annotated

import typer
import uvicorn
from shared.contracts.vocabulary import Service

from fix_outcomes import provisioning, topology
from fix_outcomes.app import create_app
from fix_outcomes.settings import DatabaseSettings, Settings, TopologySettings
from shared import logs

main = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
database_cli = typer.Typer(no_args_is_help=True, help="Postgres: roles and tables.")
topology_cli = typer.Typer(no_args_is_help=True, help="RabbitMQ: exchanges, queues, users and permissions.")
main.add_typer(database_cli, name="database")
main.add_typer(topology_cli, name="topology")


@main.command()
def run() -> None:
    """Run the service. Settings: FIX_OUTCOMES_… in the environment or under /run/secrets."""
    settings = Settings()
    logs.configure(service="fix-outcomes", replica=settings.replica, level=settings.log_level)
    uvicorn.run(
        create_app(settings),
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
    settings = DatabaseSettings()
    provisioning.run(
        settings.admin_url,
        {"fix_outcomes": settings.runtime_password, "fix_outcomes_relay": settings.relay_password},
    )
    typer.echo("database: roles and tables are up to date")


@topology_cli.command("apply")
def topology_apply() -> None:
    """Declare everything in RabbitMQ through its management API. Settings: TOPOLOGY_…"""
    settings = TopologySettings()
    topology.apply(settings.api_url, _passwords(settings))
    typer.echo("topology: exchanges, queues, users and permissions are up to date")


@topology_cli.command("definitions")
def topology_definitions(indent: Annotated[int, typer.Option(help="Spaces to indent by")] = 2) -> None:
    """Print RabbitMQ's definitions, as a broker can boot from them (with hashed passwords)."""
    typer.echo(json.dumps(topology.definitions(_passwords(TopologySettings())), indent=indent))


def _passwords(settings: TopologySettings) -> topology.Passwords:
    return {
        Service.GATEWAY: settings.gateway_password,
        Service.FIX_OUTCOMES: settings.fix_outcomes_password,
        Service.NOTE_GENERATOR: settings.note_generator_password,
    }


if __name__ == "__main__":
    main()
