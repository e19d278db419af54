"""`faults run`: break the stack and judge. `faults soak`: for a long time. `faults check RUN`: judge a run again.
`faults simulate`: thousands of runs of the core on servers in memory.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from faults import checker
from faults.experiment import Pace
from faults.experiments import EXPERIMENTS
from faults.running import theatre
from faults.soak import Memory, Soaked, soak
from faults.table import Line, table, write_into

main = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)

LONG = Pace(changes=120, seconds=1.5)
_SHOWN = 5

Seed = Annotated[str, typer.Option(help="Makes the same choices again")]
Folder = Annotated[Path, typer.Option(help="Where runs and logs are left")]


@main.command()
def run(  # noqa: PLR0917  typer makes options of them
    only: Annotated[
        str, typer.Option(help="Names, with commas; all if none is given. a+b: one load for both")
    ] = "",
    seed: Seed = "",
    folder: Folder = Path(".run/faults"),
    short: Annotated[bool, typer.Option(help="With as little load as the tests have")] = False,
    sources: Annotated[Path | None, typer.Option(help="Another tree whose services run")] = None,
    document: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Also write the table into this document, where it has a place for it",
        ),
    ] = None,
) -> None:
    """Every fault under load, one run each, on one stack; a table at the end. Fails where an invariant broke."""
    names = [name.strip() for name in only.split(",") if name.strip()] or list(EXPERIMENTS)
    if unknown := [name for name in "+".join(names).split("+") if name not in EXPERIMENTS]:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(EXPERIMENTS)}")
    seed, began = seed or secrets.token_hex(4), time.monotonic()
    lines = asyncio.run(_run(names, seed, Pace() if short else LONG, folder, sources))
    _show(lines)
    said = f"seed {seed}, {len(lines)} faults in {(time.monotonic() - began) / 60:.1f} minutes"
    typer.echo(f"{said}; runs are in {folder}")
    if document is not None:
        write_into(document, lines, introduction=f"`make faults`, {datetime.now(UTC):%Y-%m-%d}, {said}:")
    raise typer.Exit(any(line.failed for line in lines))


@main.command("soak")
def soak_(
    minutes: Annotated[float, typer.Option(help="How long")] = 30,
    seed: Seed = "",
    folder: Folder = Path(".run/soak"),
) -> None:
    """Load for a long time with a random fault every 20 s. Fails where the record or the memory is not sound."""
    seed = seed or secrets.token_hex(4)
    soaked = asyncio.run(_soak(minutes, seed, folder))
    _show(soaked.lines)
    _tell_memory(soaked)
    typer.echo(f"seed {seed}; runs are in {folder}")
    for failure in soaked.failures:
        typer.echo(failure, err=True)
    raise typer.Exit(bool(soaked.failures))


@main.command()
def check(
    run: Annotated[Path, typer.Argument(help="The folder of a run")],
    faultless: Annotated[bool, typer.Option(help="Nothing was broken: a benchmark, say")] = False,
) -> None:
    """Say for each invariant what was checked and what is wrong. Fails where one is broken, or saw nothing."""
    report = checker.check(checker.load(run, wants_faults=not faultless))
    typer.echo(str(report))
    if not report.clean:
        raise typer.Exit(1)


@main.command()
def simulate(
    seeds: Annotated[int, typer.Option(help="How many")] = 5_000,
    seed: Annotated[str, typer.Option(help="This one alone, again; or what the seeds begin with")] = "",
    cores: Annotated[int, typer.Option(help="Processes at once")] = 2,
) -> None:
    """The core on servers in memory, in one thread with a seeded schedule: the same invariants, thousands of times."""
    from faults.simulation import campaign

    first = seed or secrets.token_hex(4)
    wanted = [seed] if seed and seeds == 1 else [f"{first}-{number}" for number in range(1, seeds + 1)]
    done = campaign.run(wanted, cores=cores)
    for report in done.broken[:_SHOWN]:
        typer.echo(f"{report}\nagain: faults simulate --seeds 1 --seed {report.seed}\n")
    typer.echo(str(done))
    if done.broken:
        raise typer.Exit(1)


async def _run(names: Sequence[str], seed: str, pace: Pace, folder: Path, sources: Path | None) -> list[Line]:
    lines: list[Line] = []
    async with theatre(folder, sources=sources) as stage:
        for name in names:
            experiments = [EXPERIMENTS[each] for each in name.split("+")]
            lines.append(await stage.run(name, experiments, seed=seed, pace=pace))
            _tell(lines[-1], folder)
    return lines


async def _soak(minutes: float, seed: str, folder: Path) -> Soaked:
    async with theatre(folder) as stage:
        return await soak(stage, minutes=minutes, seed=seed, report=lambda line: _tell(line, folder))


def _tell(line: Line, folder: Path) -> None:
    typer.echo(f"{line.name}: {line.verdict}")
    verdict = folder / line.name / "verdict.txt"
    if line.failed and verdict.exists():
        typer.echo(verdict.read_text(encoding="utf-8"))


def _show(lines: Sequence[Line]) -> None:
    Console(width=160).print(table(lines))


def _tell_memory(soaked: Soaked) -> None:
    def mebibytes(memory: Memory, name: str) -> str:
        return f"{memory.by_process[name] / (1 << 20):.0f}"

    for name in soaked.after.by_process:
        typer.echo(f"{name}: {mebibytes(soaked.before, name)} → {mebibytes(soaked.after, name)} MiB")


if __name__ == "__main__":
    main()
