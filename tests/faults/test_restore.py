"""Postgres is restored to a moment, from a base backup and archived WAL; RabbitMQ and Redis are lost. docs/deploy.md
says the same to an operator.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from devstack import postgres, services
from devstack.binaries import postgres_folder
from devstack.services import SERVICES, Choices
from devstack.stack import Stack
from e2e.client import SESSIONS, Person
from e2e.listening import Subscriber, subscribed
from http_client import http_client
from patience import eventually
from shared.contracts.views import Fix, HistoryEntry

from faults import record

SERVERS = ("postgres", "rabbitmq", "redis")
WITHIN_S = 40
FIXES = 4


@dataclass(frozen=True)
class Vault:
    """Where the backup is: out of the servers' reach, but for the archive that Postgres writes."""

    stack: Stack
    folder: Path

    @property
    def data(self) -> Path:
        return Path(self.stack.state.folders["postgres"]) / "data"

    @property
    def archive(self) -> Path:
        return self.data.parent / "archive"

    def begin_to_archive(self) -> None:
        self.archive.mkdir()
        _give_to_postgres(self.archive)
        query(self.stack, "alter system set archive_mode = on")
        query(self.stack, f"alter system set archive_command = 'cp %p {self.archive}/%f'")
        self.stack.restart("postgres")

    def back_up(self) -> None:
        program = str(postgres_folder() / "pg_basebackup")
        run(program, "-d", self.stack.servers.database_url, "-D", str(self.folder), "-c", "fast")

    def mark_a_moment(self, name: str) -> str:
        """The name of the WAL file that it lies in."""
        query(self.stack, f"select pg_create_restore_point('{name}')")
        [[file]] = query(self.stack, "select pg_walfile_name(pg_current_wal_lsn())")
        query(self.stack, "select pg_switch_wal()")
        return str(file)

    def restore(self, moment: str) -> None:
        shutil.rmtree(self.data)
        shutil.copytree(self.folder, self.data)
        with (self.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = 'cp {self.archive}/%f %p'\n")
            settings.write(f"recovery_target_name = '{moment}'\nrecovery_target_action = 'promote'\n")
        (self.data / "recovery.signal").touch()
        self.data.chmod(0o700)
        _give_to_postgres(self.data)


def _give_to_postgres(folder: Path) -> None:
    if os.geteuid() == 0:
        run("chown", "-R", postgres.ACCOUNT, str(folder))


def run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """What it printed. A command that fails fails the test."""
    done = subprocess.run(
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def query(stack: Stack, text: str) -> list[Sequence[Any]]:
    async def ask() -> list[Sequence[Any]]:
        connection = await asyncpg.connect(stack.servers.database_url)
        try:
            return [tuple(row) for row in await connection.fetch(text)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def fix_outcomes(stack: Stack, *arguments: str) -> str:
    """An operator's command."""
    environment = {
        **stack.environment("fix-outcomes"),
        "DATABASE_ADMIN_URL": stack.servers.database_url,
    }
    return run(sys.executable, "-m", "fix_outcomes", *arguments, environment=environment)


def lose_all_servers(stack: Stack) -> None:
    for name in (*SERVICES, *SERVERS):
        stack.kill(name)
    for lost in ("rabbitmq", "redis"):
        shutil.rmtree(stack.folder / lost)


def bring_servers_back(stack: Stack) -> None:
    for name in SERVERS:
        stack.start(name)
    for name in SERVERS:
        stack.wait_ready(name)
    for command, environment in services.steps(stack.state, stack.servers.addresses, Choices()).values():
        run(*command, environment=environment)


def bring_services_back(stack: Stack) -> None:
    for name in SERVICES:
        stack.start(name)
    stack.wait_ready()


async def published(stack: Stack) -> bool:
    [[waiting]] = await asyncio.to_thread(
        query, stack, "select count(*) from outbox where published_at is null"
    )
    return bool(waiting == 0)


def silence_the_relay(stack: Stack) -> None:
    """What is recorded from now on is told to nobody."""
    query(stack, "alter role fix_outcomes_relay nologin")
    query(
        stack, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'fix_outcomes_relay'"
    )


async def come(tool: Subscriber, histories: Mapping[UUID, Sequence[HistoryEntry]]) -> None:
    """All these entries reach the subscriber, in order."""
    for session, entries in histories.items():
        await _comes(tool, session, [entry.sequence for entry in entries])


async def _comes(tool: Subscriber, session: UUID, wanted: list[int]) -> None:
    await eventually(lambda: set(wanted) <= set(tool.sequences(session)), within_s=WITHIN_S)
    assert list(dict.fromkeys(tool.sequences(session))) == wanted


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_a_restore_to_a_moment_tells_what_was_untold_then_and_the_notes_come_back(
    tmp_path: Path,
) -> None:
    with Stack(tmp_path / "stack", durable=True) as stack:
        vault, account = Vault(stack, tmp_path / "base"), uuid4()
        await asyncio.to_thread(vault.begin_to_archive)
        async with http_client() as http:
            engineer = Person(http, stack.token(account_id=account), account, stack.gateway_urls)
            fixes = [await eventually(lambda: _applied(engineer), within_s=WITHIN_S) for _ in range(FIXES)]
            await asyncio.to_thread(vault.back_up)
            for fix in fixes:
                (await engineer.record(fix, "applied_pending", "until noon")).good()
            await eventually(lambda: published(stack), within_s=WITHIN_S)
            told = {fix.session_id: await engineer.history(fix.session_id) for fix in fixes}

            await asyncio.to_thread(silence_the_relay, stack)
            key = str(uuid4())
            answered = [
                (
                    await engineer.record(fix, "applied_success", f"it works {fix.id}", key=f"{key}{fix.id}")
                ).good()
                for fix in fixes
            ]
            kept = {fix.session_id: await engineer.history(fix.session_id) for fix in fixes}
            file = await asyncio.to_thread(vault.mark_a_moment, "drill")
            await eventually((vault.archive / file).exists, within_s=WITHIN_S)
            too_late = await engineer.open_session()

            await asyncio.to_thread(lose_all_servers, stack)
            await asyncio.to_thread(vault.restore, "drill")
            await asyncio.to_thread(bring_servers_back, stack)
            assert "0 violations" in await asyncio.to_thread(fix_outcomes, stack, "verify")

            async with subscribed(stack.servers.amqp_url, account) as tool:
                await asyncio.to_thread(bring_services_back, stack)
                untold = {session: kept[session][len(told[session]) :] for session in kept}
                assert all(untold.values())
                await come(tool, untold)
                for fix, answer in zip(fixes, answered, strict=True):
                    assert await engineer.history(fix.session_id) == kept[fix.session_id]
                    again = await engineer.record(
                        fix, "applied_success", f"it works {fix.id}", key=f"{key}{fix.id}"
                    )
                    assert (again.replayed, again.body) == (True, answer)
                assert (await engineer.get(f"{SESSIONS}/{too_late}")).status == 404
                versions = {await engineer.version(fix.session_id) for fix in fixes}
                await eventually(lambda: _noted(stack, account, versions), within_s=WITHIN_S)

            async with subscribed(stack.servers.amqp_url, account) as tool:
                await asyncio.to_thread(fix_outcomes, stack, "journal", "replay", "--since", "2020-01-01")
                await come(tool, kept)
            await engineer.applied_fix()  # life goes on
            await eventually(lambda: published(stack), within_s=WITHIN_S)
            assert "0 violations" in await asyncio.to_thread(fix_outcomes, stack, "verify")


async def _applied(person: Person) -> Fix | None:
    """A new fix that was applied, once the gateway has its connections again."""
    opened = await person.post(
        SESSIONS, {"session_type": "chat", "intake_type": "free_text", "intake_content": {"text": "no sync"}}
    )
    if opened.status != 201:
        return None
    return (await person.apply(await person.suggest(opened.session.id))).fix


async def _noted(stack: Stack, account: UUID, versions: set[int]) -> bool:
    """Whether both documents of every session are there again, of its version, though nobody asked for them."""
    notes = await record.notes(stack.servers.redis_url, [str(account)])
    return len(notes) == 2 * FIXES and {note["version"] for note in notes.values()} == versions
