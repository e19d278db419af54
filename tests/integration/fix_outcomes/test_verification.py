"""`fix-outcomes verify` finds what does not agree, and names it."""

from uuid import uuid4

import asyncpg
import pytest
from devstack.database import with_path
from fix_outcomes import handlers
from fix_outcomes.app import no_checkpoint, utc_now
from fix_outcomes.storage import database as storage
from fix_outcomes.storage.verification import verify
from places import Database
from shared.contracts.commands import Action, Command, CreateSession, RecordOutcome, SuggestFix
from shared.contracts.examples import SAM
from shared.contracts.views import IntakeContent
from shared.contracts.vocabulary import Outcome
from shared.ids import new_id
from sqlalchemy.ext.asyncio import AsyncEngine

ACCOUNT = uuid4()


@pytest.fixture(scope="module")
async def recorded(database: Database) -> Database:
    """A session with a fix that was parked and then succeeded."""
    engine = storage.connect(database.runtime_url, name="test", connections=2)
    session = await _do(engine, CreateSession(intake_content=IntakeContent(text="No internet")))
    fix = await _do(
        engine, SuggestFix(session_id=session, title="Reboot", description="Once", confidence_pct=5)
    )
    for outcome, notes in ((Outcome.APPLIED_PENDING, "tonight"), (Outcome.APPLIED_SUCCESS, None)):
        await _do(engine, RecordOutcome(session_id=session, fix_id=fix, outcome=outcome, notes=notes))
    await engine.dispose()
    return database


async def _do(engine: AsyncEngine, action: Action) -> str:
    command = Command(
        ref=1, command_id=new_id(), account_id=ACCOUNT, actor=SAM, fingerprint="f", issued_at=utc_now(), action=action
    )  # fmt: skip
    answers, failures = await handlers.record(
        [command], engine=engine, clock=utc_now, checkpoint=no_checkpoint
    )
    assert not failures
    return str(answers[0].body["id"])


async def test_a_sound_record_has_no_violation(recorded: Database) -> None:
    entries, checks = await verify(recorded.admin_url)
    assert entries == 4
    assert [check for check in checks if check.violations] == []


@pytest.mark.parametrize(
    ("damage", "claim"),
    [
        ("delete from journal where sequence = 2", "sequences are 1..n without a gap"),
        ("update sessions set sequence = sequence + 1", "a session is where its last entry says"),
        ("update journal set from_status = 'proposed' where sequence = 4", "a fix's entries form a chain"),
        ("update suggested_fixes set status = 'applied_failed'", "a fix is where its last entry says"),
        (
            "update journal set from_status = 'applied_success', to_status = 'dismissed' where sequence = 4",
            "every transition is in the table",
        ),
        (
            "delete from journal where kind = 'fix.suggested'",
            "everything that exists has the entry that made it",
        ),
        (
            "delete from command_log where command_id in (select command_id from journal where sequence = 4)",
            "every entry has its answer in the command log",
        ),
        ("delete from journal where sequence = 1", "every creation that was answered has its entry"),
        ("delete from outbox where sequence = 4", "every entry has its outbox row"),
        (
            "insert into outbox (session_id, sequence) values (gen_random_uuid(), 1)",
            "every outbox row has its entry",
        ),
    ],
)
async def test_what_does_not_agree_is_found_and_named(recorded: Database, damage: str, claim: str) -> None:
    damaged = await _copy(recorded)
    owner = await asyncpg.connect(damaged)
    try:
        await owner.execute("update outbox set published_at = now() - interval '1 hour' where sequence = 1")
        await owner.execute(damage)
    finally:
        await owner.close()
    _entries, checks = await verify(damaged)
    wrong = {check.claim: check for check in checks if check.violations}
    assert claim in wrong
    assert wrong[claim].examples


async def _copy(database: Database) -> str:
    """The same database again, to be damaged."""
    name = f"damaged_{uuid4().hex[:8]}"
    template = database.admin_url.rpartition("/")[2]
    admin = await asyncpg.connect(with_path(database.admin_url, "/postgres"))
    try:
        await admin.execute(f"create database {name} template {template}")
    finally:
        await admin.close()
    return with_path(database.admin_url, f"/{name}")
