"""`parked list|show|replay|discard`, for the command line of every service that has a work queue."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer

from shared.parked import Parked, ParkingLot

Ids = Annotated[list[str] | None, typer.Argument(help="Ids, as `parked list` shows them")]
All = Annotated[bool, typer.Option("--all", help="Every parked message")]


def commands(lot: Callable[[], ParkingLot]) -> typer.Typer:
    """The sub-commands; `lot` is called when one of them runs."""
    cli = typer.Typer(no_args_is_help=True, help="Messages that could not be handled, and wait for you.")

    @cli.command("list")
    def list_parked() -> None:
        """List them, oldest first: id, attempts, age, trace, reason."""
        found = asyncio.run(lot().look())
        for parked in found:
            typer.echo(line(parked))
        typer.echo(f"{len(found)} parked")

    @cli.command()
    def show(ids: Ids = None) -> None:
        """Show messages with their bodies. A body holds what people wrote: mind where you show it."""
        chosen = _chosen(ids, everything=False)
        found = [parked for parked in asyncio.run(lot().look()) if chosen(parked)]
        for parked in found:
            typer.echo(line(parked))
            typer.echo(parked.readable())
        _name_missing(ids, found)

    @cli.command()
    def replay(ids: Ids = None, everything: All = False) -> None:
        """Have messages handled again. Safe to repeat: what was decided is answered from the log."""
        _report("replayed", asyncio.run(lot().replay(_chosen(ids, everything=everything))), ids)

    @cli.command()
    def discard(ids: Ids = None, everything: All = False) -> None:
        """Throw messages away, for good."""
        chosen = _chosen(ids, everything=everything)
        if everything:
            typer.confirm("Throw every parked message away?", abort=True)
        _report("discarded", asyncio.run(lot().discard(chosen)), ids)

    return cli


def line(parked: Parked) -> str:
    """One message on one line."""
    age = "?" if parked.age_s is None else f"{parked.age_s:.0f}s"
    return (
        f"{parked.id}  attempts {parked.attempts}  age {age}  trace {parked.trace_id or '-'}"
        f"  from {parked.published_by or '-'}  {parked.reason}"
    )


def _chosen(ids: list[str] | None, *, everything: bool) -> Callable[[Parked], bool]:
    if not ids and not everything:
        raise typer.BadParameter("name at least one id, or --all")
    return lambda parked: everything or parked.id in (ids or ())


def _report(done: str, settled: list[Parked], ids: list[str] | None) -> None:
    for parked in settled:
        typer.echo(f"{done} {parked.id}")
    typer.echo(f"{len(settled)} {done}")
    _name_missing(ids, settled)


def _name_missing(ids: list[str] | None, found: list[Parked]) -> None:
    missing = sorted(set(ids or ()) - {parked.id for parked in found})
    for absent in missing:
        typer.echo(f"there is no parked message {absent}", err=True)
    if missing:
        raise typer.Exit(1)
