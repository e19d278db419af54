"""`faults run`: break the stack and judge. `faults check RUN`: judge a run again from what it left.
`faults simulate`: thousands of runs of the core on servers in memory.
"""

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from faults import checker
from faults.experiment import Outcome, Pace, perform
from faults.experiments import EXPERIMENTS
from faults.stage import Stage
from faults.subscriber import Subscriber
from faults.table import table

main = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)

LONG = Pace(changes=100, seconds=3.0)
_SHOWN = 5


@main.command()
def run(
    only: Annotated[
        str, typer.Option(help="Names, with commas; all if none is given. a+b: one load for both")
    ] = "",
    seed: Annotated[str, typer.Option(help="Makes the same choices again")] = "",
    folder: Annotated[Path, typer.Option(help="Where runs and logs are left")] = Path(".run/faults"),
    short: Annotated[bool, typer.Option(help="With as little load as the tests have")] = False,
    sources: Annotated[Path | None, typer.Option(help="Another tree whose services run")] = None,
) -> None:
    """Every fault under load, one run each, on one stack; a table at the end. Fails where an invariant broke."""
    names = [name.strip() for name in only.split(",") if name.strip()] or list(EXPERIMENTS)
    if unknown := [name for name in "+".join(names).split("+") if name not in EXPERIMENTS]:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(EXPERIMENTS)}")
    seed = seed or secrets.token_hex(4)
    stage = Stage(folder / "stack", sources=sources)
    outcomes, failures = asyncio.run(_run(names, seed, Pace() if short else LONG, stage))
    Console(width=160).print(table(outcomes))
    typer.echo(f"seed {seed}; runs are in {folder}")
    for failure in failures:
        typer.echo(failure, err=True)
    if failures or not all(outcome.report.clean for outcome in outcomes):
        raise typer.Exit(1)


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


async def _run(names: Sequence[str], seed: str, pace: Pace, stage: Stage) -> tuple[list[Outcome], list[str]]:
    outcomes: list[Outcome] = []
    failures: list[str] = []
    with stage:
        async with Subscriber(stage.addresses.amqp_url) as listener:
            for name in names:
                try:
                    outcome = await perform(
                        [EXPERIMENTS[each] for each in name.split("+")],
                        stage=stage,
                        listener=listener,
                        folder=stage.folder.parent / name,
                        seed=f"{seed}-{name}",
                        pace=pace,
                    )
                except (AssertionError, ExceptionGroup) as error:
                    failures.append(f"{name}: {error!r}")
                    typer.echo(failures[-1])
                else:
                    outcomes.append(outcome)
                    typer.echo(f"{name}: {'clean' if outcome.report.clean else outcome.report}")
    return outcomes, failures


if __name__ == "__main__":
    main()
