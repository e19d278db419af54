"""The newest migration is applied under load, with old and new fix-outcomes side by side, and back again.

The old one is today's without that migration and what needs it: whoever adds a migration writes the patch anew.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest
from devstack import services
from devstack.services import Choices
from shared.contracts import topology
from shared.contracts.events import CONTENT_TYPE, routing_key

from faults.experiment import Experiment, Scene, perform
from faults.handmade import by_hand, command, creation
from faults.stage import SOURCES, Stage
from faults.witness import witness

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "services/fix-outcomes/src/fix_outcomes/migrations/versions"
PATCH = Path(__file__).parent / "before-the-newest-migration.patch"
OLD = ("fix-outcomes", "database-apply")
A_WHILE = 40


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """The sources as they were before the newest migration."""
    tree = tmp_path / "before"
    for source in SOURCES:
        shutil.copytree(ROOT / source, tree / source, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        ("git", "apply", "-C0", str(PATCH)), cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{PATCH.name} must be written anew: {done.stderr}"
    return tree


def test_what_was_before_is_without_the_newest_migration_alone(before: Path) -> None:
    names = [{path.name for path in tree.glob("[0-9]*.py")} for tree in (MIGRATIONS, migrations_of(before))]
    assert names[0] - names[1] == {max(names[0])}, f"{PATCH.name} is not of the newest migration"


def migrations_of(tree: Path) -> Path:
    return tree / MIGRATIONS.relative_to(ROOT)


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_an_upgrade_under_load_and_the_way_back_lose_nothing_and_nobody_sees_a_5xx(
    before: Path, tmp_path: Path
) -> None:
    with Stage(tmp_path / "stack", sources=before, of=OLD) as stage:
        async with witness(stage.addresses) as seen:
            outcome = await perform(
                [Experiment("upgrade", upgrade(before), replicas=2)],
                stage=stage,
                witness=seen,
                folder=tmp_path / "run",
                seed="upgrade",
            )
    assert outcome.report.clean, f"{outcome.folder}\n{outcome.report}"


def upgrade(old: Path) -> Callable[[Scene], Awaitable[None]]:
    async def harm(scene: Scene) -> None:
        before = scene.load.progress.server_errors
        async with scene.injector.noted("upgraded"):
            await asyncio.to_thread(apply_the_new_steps, scene.stage)
            await scene.more(A_WHILE)  # two old ones, on the tables of now
            await replace(scene, "fix-outcomes-2", path="")
            await of_another_version(scene)
            await scene.more(A_WHILE)  # side by side
            await replace(scene, "fix-outcomes", path="")
            await scene.more(A_WHILE)
            await replace(scene, "fix-outcomes", path=":".join(str(old / each) for each in SOURCES))
            await scene.more(A_WHILE)  # back, on the tables of now
        errors = scene.load.progress.server_errors - before
        assert errors == 0, f"{errors} answers were 5xx during the upgrade"

    return harm


def apply_the_new_steps(stage: Stage) -> None:
    """As an operator does: the database first, then the broker and the cache."""
    steps = services.steps(stage.stack.state, stage.stack.servers.addresses, Choices())
    for arguments, environment in steps.values():
        subprocess.run(arguments, env=environment, check=True)
    stage.runs_todays("database-apply")


async def replace(scene: Scene, name: str, *, path: str) -> None:
    """This replica ends in order, and comes back with the code of that path, or with today's."""
    settings = scene.stage.stack.environment("fix-outcomes")
    own = {key: value for key, value in settings.items() if not key.endswith(("_PORT", "_REPLICA"))}
    scene.stage.stack.configure(name, settings={**own, "PYTHONPATH": path})
    await scene.injector.terminate(name)


async def of_another_version(scene: Scene) -> None:
    """A command with fields that nobody knows is handled; an event of a type that nobody knows disturbs nobody."""
    account = scene.load.accounts[0]
    later = {**command(account, {**creation(account), "mood": "new"}), "priority": 7}
    session = UUID(account.sessions[0])
    unheard_of = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"/accounts/{account.id}/sessions/{session}",
        "type": "com.resolutionflow.session.unheard_of.v9",
        "time": datetime.now(UTC).isoformat(),
        "data": {"account_id": account.id, "session_id": str(session), "mood": "new"},
    }
    changes = {
        "version": 1,
        "mood": "new",
        "changes": [
            {"account_id": account.id, "session_id": str(session), "state_version": 1, "mood": "new"}
        ],
    }
    async with by_hand(scene) as hands:
        await hands.answered([later, later], mood="new")
        await hands.send(
            orjson.dumps(unheard_of),
            user="fix-outcomes",
            exchange=topology.EVENTS,
            key=routing_key(UUID(account.id), session, "session.unheard_of"),
            content_type=CONTENT_TYPE,
        )
        await hands.send(
            orjson.dumps(changes),
            user="fix-outcomes",
            exchange=topology.CHANGES,
            key=topology.NOTE_GENERATOR_STATE_CHANGES.key,
        )
