"""What is done with a batch, in order: lock and read, decide, write, commit. Answers come back; nothing is sent."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.contracts.answers import Answer
from shared.contracts.commands import Command
from shared.contracts.problems import ProblemCode
from shared.contracts.queries import LintNote, Query, WriteNote
from shared.logs import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from fix_outcomes import figures
from fix_outcomes.domain.batch import decide_batch
from fix_outcomes.domain.refusals import Refused
from fix_outcomes.storage import commands, queries
from fix_outcomes.storage.commands import Named
from fix_outcomes.storage.database import is_outage, raw_transaction, reading
from shared import telemetry

Clock = Callable[[], datetime]
Checkpoint = Callable[[str], Awaitable[None]]

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A command that cannot be decided although the database is well."""

    command: Command
    error: Exception


async def record(
    batch: Sequence[Command], *, engine: AsyncEngine, clock: Clock, checkpoint: Checkpoint
) -> tuple[list[Answer], list[Failure]]:
    """Decide and remember a batch in one transaction; if that fails, each command in one of its own.

    Raises what `is_outage` knows, with nothing promised: the same batch may be recorded again.
    """
    try:
        return await _record_together(batch, engine=engine, clock=clock, checkpoint=checkpoint), []
    except Exception as error:
        if is_outage(error):
            raise
        log.warning(
            "a batch failed; each of its commands is tried alone",
            size=len(batch),
            reason=type(error).__name__,
        )
    answers: list[Answer] = []
    failures: list[Failure] = []
    for command in batch:
        try:
            answers += await _record_together([command], engine=engine, clock=clock, checkpoint=checkpoint)
        except Exception as error:
            if is_outage(error):
                raise
            failures.append(Failure(command, error))
    return answers, failures


async def _record_together(
    batch: Sequence[Command], *, engine: AsyncEngine, clock: Clock, checkpoint: Checkpoint
) -> list[Answer]:
    await checkpoint("commands: before transaction")
    with telemetry.inner("transaction"):
        async with raw_transaction(engine, (command.account_id for command in batch)) as transaction:
            known = await commands.read_known(transaction, batch)
            answers, writes = decide_batch(known, batch, at=clock())
            await commands.write(transaction, writes)
            await checkpoint("commands: before commit")
    figures.count(writes.entries)
    return answers


async def remember_parked(batch: Sequence[Named], reason: str, *, engine: AsyncEngine, clock: Clock) -> None:
    """Note that these commands wait for an operator."""
    async with raw_transaction(engine, (command.account_id for command in batch)) as transaction:
        await commands.remember_parked(transaction, batch, reason=reason, at=clock())


async def answer(batch: Sequence[Query], *, engine: AsyncEngine) -> list[Answer]:
    """Answer questions as of one moment."""
    async with reading(engine, (query.account_id for query in batch)) as connection:
        answers = []
        for query in batch:
            if isinstance(query.question, WriteNote | LintNote):
                continue
            try:
                body = await queries.answer(connection, query.account_id, query.question)
                answers.append(Answer(ref=query.ref, status=200, body=body))
            except Refused as refusal:
                answers.append(Answer(ref=query.ref, status=refusal.status, body=dict(refusal.body)))
        return answers


def unavailable(batch: Sequence[Query]) -> list[Answer]:
    """What is said to questions that the database cannot be asked right now."""
    body = {"code": ProblemCode.UNAVAILABLE.value, "detail": "The record cannot be read right now."}
    return [Answer(ref=query.ref, status=503, body=body) for query in batch]
