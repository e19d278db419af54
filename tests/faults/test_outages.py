"""One server or service is away for a while: what is answered meanwhile, and what becomes of it afterwards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from uuid import UUID, uuid4

import aio_pika
import asyncpg
import pytest
from devstack.stack import Stack
from e2e.client import SESSIONS, Answer, Person
from e2e.listening import watching
from http_client import http_client
from patience import eventually
from shared.contracts import topology
from shared.contracts.views import Fix

from faults.stage import Stage
from faults.subscriber import Received, Subscriber
from faults.witness import Witness

ANSWER_WITHIN_S = 1.5
MARGIN_S = 3.0  # for a busy machine
BACK_WITHIN_S = 40


@pytest.fixture(scope="module")
def stack(stage: Stage, seen: Witness) -> Iterator[Stack]:
    """A stack whose servers are its own, to be stopped; it answers sooner than usual that it cannot.

    `seen` comes first: RabbitMQ 3.10 forgets a quorum queue that it is killed within two seconds of.
    """
    with stage.otherwise("gateway", {"GATEWAY_ANSWER_TIMEOUT_S": str(ANSWER_WITHIN_S)}):
        yield stage.stack


@pytest.fixture
async def parked_before(stack: Stack) -> dict[str, int]:
    """What earlier tests have left."""
    return await _parked(stack)


@pytest.fixture
async def engineer(stack: Stack) -> AsyncIterator[Person]:
    account = uuid4()
    async with http_client() as http:
        engineer = Person(http, stack.token(account_id=account), account, stack.gateway_urls)
        await eventually(lambda: _works(engineer), within_s=BACK_WITHIN_S)
        yield engineer


@dataclass(frozen=True)
class Tool:
    """A PSA tool of one account: it acknowledges what it got, and so misses nothing while RabbitMQ is away."""

    events: Subscriber
    account_id: UUID

    def changes(self) -> list[Received]:
        """What came so far; notes are no changes."""
        ours = str(self.account_id)
        return [each for each in self.events.received if each.account == ours and "sequence" in each.body]

    def sequences(self, session: UUID) -> list[int]:
        """The changes of a session, as they came."""
        return [
            int(each.body["sequence"])
            for each in self.changes()
            if each.body["data"]["session_id"] == str(session)
        ]


@pytest.fixture
def tool(seen: Witness, engineer: Person) -> Tool:
    return Tool(seen.events, engineer.account_id)


async def _works(person: Person) -> bool:
    content = {"session_type": "chat", "intake_type": "free_text", "intake_content": {"text": "works?"}}
    return (await person.post(SESSIONS, content)).status == 201


@asynccontextmanager
async def _away(stack: Stack, name: str, *, killed: bool = False) -> AsyncIterator[None]:
    """A process or server is away while this lasts; afterwards it has been started, and is ready again."""
    server = stack[name]
    await asyncio.to_thread(server.kill if killed else server.stop)
    assert not server.alive()
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(server.wait_ready)


async def _timed(answer: Awaitable[Answer]) -> tuple[Answer, float]:
    began = monotonic()
    return await answer, monotonic() - began


async def _operation(person: Person, queued: Answer) -> Answer:
    """What became of it, however long that takes."""

    async def decided() -> Answer | None:
        shown = await person.get(queued.headers["Location"])
        return shown if shown.operation.status != "pending" else None

    return await eventually(decided, within_s=BACK_WITHIN_S)


async def _parked(stack: Stack) -> dict[str, int]:
    """Messages in every parking queue, and commands that are recorded as parked."""
    found = {}
    connection = await aio_pika.connect(stack.servers.amqp_url)
    async with connection:
        channel = await connection.channel()
        for queue in topology.WORK_QUEUES:
            declared = await channel.declare_queue(queue.parked, passive=True)
            found[queue.parked] = declared.declaration_result.message_count or 0
    database = await asyncpg.connect(stack.servers.database_url)
    try:
        found["parked_commands"] = await database.fetchval("select count(*) from parked_commands")
    finally:
        await database.close()
    return {name: count for name, count in found.items() if count}


async def _all_delivered(person: Person, tool: Tool, fixes: list[Fix]) -> None:
    """The subscriber has every entry of these sessions' history, in order and once."""
    for fix in fixes:
        history = [entry.sequence for entry in await person.history(fix.session_id)]
        await _delivered(tool, fix.session_id, history)


async def _delivered(tool: Tool, session: UUID, history: list[int]) -> None:
    await eventually(lambda: len(tool.sequences(session)) >= len(history), within_s=BACK_WITHIN_S)
    assert list(dict.fromkeys(tool.sequences(session))) == history


async def test_while_fix_outcomes_is_away_an_outcome_is_202_and_succeeds_once_it_is_back(
    stack: Stack, engineer: Person, tool: Tool, parked_before: dict[str, int]
) -> None:
    key = str(uuid4())
    fix, other = await engineer.suggested_fix(), await engineer.suggested_fix()
    (await engineer.record(other, "applied_success")).good()
    async with _away(stack, "fix-outcomes"):
        (queued, seconds), doomed, unreadable = await asyncio.gather(
            _timed(engineer.record(fix, "applied_pending", "until noon", key=key)),
            engineer.record(other, "dismissed", prefer="wait=1"),
            engineer.get(f"{SESSIONS}/{fix.session_id}"),
        )
        assert (queued.status, doomed.status) == (202, 202)
        assert seconds < ANSWER_WITHIN_S + MARGIN_S
        shown = await engineer.get(queued.headers["Location"])
        assert (shown.operation.status, shown.operation.parked) == ("pending", False)
        assert (unreadable.status, unreadable.code) == (503, "unavailable")
        assert int(unreadable.headers["Retry-After"]) >= 1
    done, refused = await _operation(engineer, queued), await _operation(engineer, doomed)
    assert (done.operation.status, done.operation.http_status) == ("succeeded", 200)
    assert (refused.operation.status, refused.operation.http_status) == ("rejected", 409)
    repeated = await engineer.record(fix, "applied_pending", "until noon", key=key)
    assert (repeated.status, repeated.replayed) == (200, True)
    assert repeated.body == done.operation.answer
    assert await engineer.version(fix.session_id) == fix.state_version + 1
    await _all_delivered(engineer, tool, [fix, other])
    assert await _parked(stack) == parked_before


async def test_while_rabbitmq_is_away_all_is_503_in_time_and_it_recovers_by_itself(
    stack: Stack, engineer: Person, tool: Tool, parked_before: dict[str, int]
) -> None:
    fix = await engineer.suggested_fix()
    async with watching(engineer, fix.session_id) as stream:
        await stream.next()
        async with _away(stack, "rabbitmq", killed=True):
            asked = (
                engineer.record(fix, "applied_success"),
                engineer.show(fix),
                engineer.preview(fix.session_id),
            )
            for answer, seconds in await asyncio.gather(*(_timed(each) for each in asked)):
                assert (answer.status, answer.code) == (503, "unavailable")
                assert int(answer.headers["Retry-After"]) >= 1
                assert seconds < ANSWER_WITHIN_S + MARGIN_S
        before = await eventually(lambda: _fix_if_readable(engineer, fix), within_s=BACK_WITHIN_S)
        recorded = await eventually(lambda: _recorded(engineer, before), within_s=BACK_WITHIN_S)
        assert (await stream.until("fix.outcome_recorded")).id == 3
    assert recorded.fix.state_version == fix.state_version + 1
    await _all_delivered(engineer, tool, [fix])
    assert await _parked(stack) == parked_before


async def _fix_if_readable(person: Person, fix: Fix) -> Fix | None:
    answer = await person.show(fix)
    return answer.fix if answer.status == 200 else None


async def _recorded(person: Person, fix: Fix) -> Answer | None:
    answer = await person.record(fix, "applied_success")
    return answer if answer.status == 200 else None


async def test_while_redis_is_away_outcomes_and_previews_work(
    stack: Stack, engineer: Person, parked_before: dict[str, int]
) -> None:
    fix = await engineer.suggested_fix()
    async with _away(stack, "redis", killed=True):
        recorded = (await engineer.record(fix, "applied_pending", "the licence syncs tonight")).fix
        for document in ("resolution-note", "escalation-package"):
            note = (await engineer.preview(fix.session_id, document)).good()
            assert (note["state_version"], note["from_cache"]) == (recorded.state_version, False)
            assert "the licence syncs tonight" in note["markdown"]
        async with watching(engineer, fix.session_id) as stream:
            assert (await stream.next()).data["notes"] == {}
    await eventually(lambda: _from_cache(engineer, fix), within_s=BACK_WITHIN_S)
    assert await _parked(stack) == parked_before


async def _from_cache(person: Person, fix: Fix) -> bool:
    return bool((await person.preview(fix.session_id)).good()["from_cache"])


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=[pytest.mark.full, pytest.mark.timeout(240)])])
async def test_what_was_accepted_while_postgres_was_away_is_decided_afterwards_and_nothing_is_parked(
    stack: Stack, engineer: Person, tool: Tool, parked_before: dict[str, int], seconds: int
) -> None:
    fixes = [await engineer.suggested_fix() for _ in range(6)]
    async with _away(stack, "postgres"):
        until = monotonic() + seconds
        queued: list[list[Answer]] = []
        while monotonic() < until or not queued:
            queued.append(
                await asyncio.gather(
                    *(
                        engineer.record(fix, "applied_partial", f"round {len(queued)}", prefer="wait=1")
                        for fix in fixes
                    )
                )
            )
        answers = [answer for answers in queued for answer in answers]
        assert {answer.status for answer in answers} == {202}
    for answer in answers:
        done = await _operation(engineer, answer)
        assert (done.operation.status, done.operation.http_status) == ("succeeded", 200)
    for fix in fixes:
        assert await engineer.version(fix.session_id) == fix.state_version + len(queued)
    await _all_delivered(engineer, tool, fixes)
    assert await _parked(stack) == parked_before


async def test_postgres_killed_in_the_middle_of_work_loses_nothing_that_was_accepted(
    stack: Stack, engineer: Person, tool: Tool, parked_before: dict[str, int]
) -> None:
    fixes = [await engineer.suggested_fix() for _ in range(4)]
    enough = asyncio.Event()
    working = asyncio.gather(*(_work(engineer, fix, enough) for fix in fixes))
    await eventually(lambda: len(tool.changes()) >= 30)
    async with _away(stack, "postgres", killed=True):
        pass
    seen = len(tool.changes())
    await eventually(lambda: len(tool.changes()) >= seen + 30, within_s=BACK_WITHIN_S)
    enough.set()
    accepted = await working
    for fix, answers in zip(fixes, accepted, strict=True):
        assert len(answers) > 1
        told = {entry.command_id: entry for entry in await engineer.history(fix.session_id)}
        notes = [entry.notes for entry in told.values() if entry.notes]
        assert len(notes) == len(set(notes))
        assert {answer.fix.partial_notes for answer in answers} <= set(notes)
    await _all_delivered(engineer, tool, fixes)
    assert await _parked(stack) == parked_before


async def _work(person: Person, fix: Fix, enough: asyncio.Event) -> list[Answer]:
    """Record one outcome after the other; what was accepted, also where it was first queued."""
    accepted = []
    while not enough.is_set():
        answer = await person.record(fix, "applied_partial", f"round {uuid4()}")
        if answer.status == 202:
            done = await _operation(person, answer)
            assert done.operation.status == "succeeded"
        elif answer.status == 200:
            accepted.append(answer)
        else:
            assert answer.status == 503, answer
    return accepted
