"""`parked list|show|replay|discard`, for the command line of every service that has a work queue."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final

import typer

from shared.parked import MOST, Parked, ParkingLot

Ids = Annotated[list[str] | None, typer.Argument(help="Ids, as `parked list` shows them")]
All = Annotated[bool, typer.Option("--all", help="Every parked message")]

Choice = Callable[[Parked], bool]

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_STRANGE: Final = "was published by somebody who may not: `show` it, and replay it by its id, or discard it"


def commands(lot: Callable[[], ParkingLot]) -> typer.Typer:
    """The sub-commands; `lot` is called when one of them runs."""
    cli = typer.Typer(no_args_is_help=True, help="Messages that could not be handled, and wait for you.")

    @cli.command("list")
    def list_parked() -> None:
        """List them, oldest first: id, attempts, age, trace, who published it, reason."""
        _list(lot())

    @cli.command()
    def show(ids: Ids = None, everything: All = False) -> None:
        """Show messages with their bodies. A body holds what people wrote: mind where you show it."""
        _show(lot(), ids, _chosen(ids, everything=everything))

    @cli.command()
    def replay(ids: Ids = None, everything: All = False) -> None:
        """Have messages handled again, within seconds. Safe to repeat: what was decided is answered from the log.

        What fails again is parked again, with a new id. `--all` leaves alone what a stranger published.
        """
        _replay(lot(), ids, _chosen(ids, everything=everything), sparing_strangers=everything)

    @cli.command()
    def discard(ids: Ids = None, everything: All = False) -> None:
        """Throw messages away, for good."""
        chosen = _chosen(ids, everything=everything)
        if everything:
            typer.confirm("Throw every parked message away?", abort=True)
        _report("discarded", asyncio.run(lot().discard(chosen)), ids)

    return cli


def _list(lot: ParkingLot) -> None:
    found = asyncio.run(lot.look())
    for parked in found:
        typer.echo(line(parked))
    typer.echo(f"{len(found)} parked{', and perhaps more behind them' if len(found) == MOST else ''}")


def _show(lot: ParkingLot, ids: list[str] | None, chosen: Choice) -> None:
    found = [parked for parked in asyncio.run(lot.look()) if chosen(parked)]
    for parked in found:
        typer.echo(line(parked))
        typer.echo(parked.readable())
    _name_missing(ids, found)


def _replay(lot: ParkingLot, ids: list[str] | None, chosen: Choice, *, sparing_strangers: bool) -> None:
    left: list[Parked] = []

    def wanted(parked: Parked) -> bool:
        if sparing_strangers and parked.strange:
            left.append(parked)
            return False
        return chosen(parked)

    _report("replayed", asyncio.run(lot.replay(wanted)), ids)
    for parked in left:
        typer.echo(f"{parked.id} {_STRANGE}", err=True)


def line(parked: Parked) -> str:
    """One message on one line."""
    age = "?" if parked.age_s is None else age_of(parked.age_s)
    return (
        f"{parked.id}  attempts {parked.attempts}  age {age}  trace {parked.trace_id or '-'}"
        f"  from {parked.published_by or '-'}  {parked.reason}"
    )


def age_of(seconds: float) -> str:
    """`45s`, `12m`, `3h20m`, `2d5h`."""
    whole = int(max(seconds, 0))
    if whole < _MINUTE_S:
        return f"{whole}s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S}m"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S}h{whole % _HOUR_S // _MINUTE_S}m"
    return f"{whole // _DAY_S}d{whole % _DAY_S // _HOUR_S}h"


def _chosen(ids: list[str] | None, *, everything: bool) -> Choice:
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
        typer.echo(f"there is no parked message {absent}: `parked list` shows those that there are", err=True)
    if missing:
        raise typer.Exit(1)
