"""The command line `devstack`, which `make up`, `down`, `logs`, `token` and `demo` call."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from devstack import stack_file
from devstack.binaries import NotInstalledError
from devstack.browser import ensure_browser
from devstack.database import UnusableDatabaseError
from devstack.ending import end_all, locked
from devstack.follow import follow, show
from devstack.install import ensure_installed
from devstack.jobs import Job
from devstack.processes import StartFailedError
from devstack.services import is_ready, url
from devstack.stack import Stack
from devstack.state import State
from devstack.tokens import DEMO_ACCOUNT, ROLES, demo_people, mint

RunFolder = Annotated[Path, typer.Option("--run-dir", help="Where data, logs and state are kept.")]
RUN_FOLDER = Path(".run")

app = typer.Typer(help="The whole stack on one machine.", no_args_is_help=True, add_completion=False)


@app.command()
def up(
    replicas: Annotated[
        list[str] | None, typer.Option(help="Replicas of a service, as in gateway=2; may be repeated.")
    ] = None,
    run_dir: RunFolder = RUN_FOLDER,
) -> None:
    """Start everything that does not run; returns when all of it is ready."""
    stack = _up(run_dir, replicas or [])
    typer.echo("everything was up already" if stack.already_up else "everything is up")
    _introduce(stack)


@app.command()
def install() -> None:
    """Install the servers that tests need and miss (as root on Debian or Ubuntu; else say how)."""
    from devstack.containers import docker_is_chosen

    if docker_is_chosen(os.environ):
        return
    try:
        ensure_installed(os.environ, _progress)
    except NotInstalledError as error:
        _fail(str(error))


@app.command()
def browser() -> None:
    """Install Chromium for the tests of the page (as root on Debian or Ubuntu; else they are left out)."""
    ensure_browser(_progress)


@app.command()
def down(run_dir: RunFolder = RUN_FOLDER) -> None:
    """End everything, and remove data and secrets; the logs stay."""
    folder = run_dir.resolve()
    if not folder.exists():
        typer.echo("nothing is up")
        return
    with locked(folder):
        state = State.load(folder)
        count = len(state.processes)
        end_all(state)
    typer.echo(f"ended {count} processes; their logs are in {state.logs}" if count else "nothing was up")


@app.command()
def status(run_dir: RunFolder = RUN_FOLDER) -> None:
    """What runs, where it listens, and whether it is ready. Exit code 1 unless all is well."""
    state = State.load(run_dir.resolve())
    if not state.processes:
        typer.echo("nothing is up")
        raise typer.Exit(1)
    conditions = {name: _condition(Job(name, state)) for name in sorted(state.processes)}
    for name, condition in conditions.items():
        port = state.ports.get(name, "-")
        typer.echo(f"{name:20} {condition:10} pid {Job(name, state).pid or '-':<8} port {port}")
    if set(conditions.values()) - {"ready", "running"}:
        raise typer.Exit(1)


@app.command()
def logs(
    names: Annotated[
        list[str] | None, typer.Argument(help="gateway, postgres, …; all of them if none.")
    ] = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many old lines of each.")] = 20,
    run_dir: RunFolder = RUN_FOLDER,
) -> None:
    """What the processes wrote."""
    state = State.load(run_dir.resolve())
    files = [state.log(name) for name in names] if names else sorted(state.logs.glob("*.log"))
    if unknown := [file.stem for file in files if not file.exists()]:
        there = ", ".join(sorted(path.stem for path in state.logs.glob("*.log"))) or "none"
        _fail(f"no log of {', '.join(unknown)} in {state.logs}; those there: {there}")
    if not files:
        _fail(f"no logs in {state.logs}: nothing was started yet")
    if not state.processes:
        _progress("nothing is up; these are the last logs")
    (follow if follow_on else show)(files, lines)


@app.command()
def token(
    *,
    account: Annotated[str, typer.Option(help="Account id, a UUID; the demo's if none.")] = str(DEMO_ACCOUNT),
    role: Annotated[str, typer.Option(help=", ".join(ROLES))] = "engineer",
    sub: Annotated[str | None, typer.Option(help="User id, a UUID.")] = None,
    name: Annotated[str | None, typer.Option(help="The user's name.")] = None,
    ttl: Annotated[int, typer.Option(help="Seconds until it expires.")] = 86_400,
    run_dir: RunFolder = RUN_FOLDER,
) -> None:
    """Print a bearer token that the running gateway accepts."""
    state = State.load(run_dir.resolve())
    if "jwt" not in state.secrets:
        _fail("nothing is up, so there is no secret to sign with: `make up` starts the stack")
    if role not in ROLES:
        _fail(f"role must be one of {', '.join(ROLES)}")
    try:
        lifetime = timedelta(seconds=ttl)
        typer.echo(
            mint(state.secrets["jwt"], account_id=account, role=role, sub=sub, name=name, ttl=lifetime)
        )
    except ValueError:
        _fail("account and sub must be UUIDs")


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Tickets to play.")] = Path("examples/tickets"),
    gateway: Annotated[
        str | None, typer.Option(help="A gateway that runs already; nothing is started.")
    ] = None,
    secret: Annotated[Path | None, typer.Option(help="File with that gateway's JWT secret.")] = None,
    run_dir: RunFolder = RUN_FOLDER,
) -> None:
    """Start everything, then play tickets through the API as engineers would."""
    from devstack.demo import play, playable

    if (gateway is None) != (secret is None):
        _fail("--gateway and --secret belong together")
    if gateway is not None and secret is not None:
        raise typer.Exit(play(gateway, secret.read_text().strip(), folder))
    if playable(folder) is None:
        raise typer.Exit(2)
    stack = _up(run_dir, [])
    raise typer.Exit(play(stack.url("gateway"), stack.jwt_secret, folder))


def _up(run_dir: Path, replicas: list[str]) -> Stack:
    try:
        stack = Stack(
            run_dir,
            replicas=_counts(replicas),
            settings={"gateway": {"GATEWAY_DEMO_SIGN_IN": demo_people()}},
            durable=True,
            report=_progress,
        ).up()
    except (NotInstalledError, StartFailedError, UnusableDatabaseError, ValueError) as error:
        _fail(str(error))
    stack_file.write(stack)
    return stack


def _counts(replicas: list[str]) -> dict[str, int]:
    pairs = [entry.partition("=") for entry in replicas]
    if bad := ["".join(pair) for pair in pairs if not pair[2].isdigit() or not int(pair[2])]:
        raise ValueError(f"--replicas takes service=count, not {', '.join(bad)}")
    return {service: int(count) for service, _, count in pairs}


def _introduce(stack: Stack) -> None:
    gateway = stack.url("gateway")
    typer.echo(f"\n  page       {gateway}/ (choose who to be; `make page` builds it)")
    typer.echo(f"  gateway    {gateway}\n  API docs   {gateway}/docs and {gateway}/asyncapi")
    typer.echo(f"  logs       {stack.state.logs}\n  settings   {stack.folder / 'stack.env'}")
    typer.echo(f"\ntokens of account {DEMO_ACCOUNT}, good for a day:")
    for role in ROLES:
        typer.echo(f"\n  {role}\n  {stack.token(account_id=DEMO_ACCOUNT, role=role)}")


def _condition(job: Job) -> str:
    if not job.alive():
        return "ended"
    if job.name in {"postgres", "rabbitmq", "redis"}:
        return "running"
    return "ready" if is_ready(url(job.state, job.name)) else "not ready"


def _progress(text: str) -> None:
    typer.echo(f"… {text}", err=True)


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    sys.exit(1)
