"""Previews: always for the current state, as soon as possible, and written once however many ask."""

import asyncio
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import pytest
from devstack.servers import Servers
from messages_api import MessagesApi, Said, handed_in, said
from note_generator_doubles import ACCOUNT, Surroundings, asked, fresh_story, outages, until
from places import Broker
from proxy import proxy_to
from shared.contracts import topology
from shared.contracts.queries import GetFix, LintNote, Query
from shared.contracts.vocabulary import NoteKind, Service
from shared.publisher import NotPublished, Publisher

NOWHERE = "redis://127.0.0.1:1/0"
LLM = {"anthropic_api_key": "not-a-real-key"}


def llm_note(extra: str = "") -> str:
    return (
        "## Problem\n\nNo internet.\n\n## What we confirmed\n\nNothing yet.\n\n"
        f"## Root cause\n\nNot known yet.\n\n## Resolution\n\nNo change was made.{extra}\n"
    )


async def test_a_preview_shows_the_newest_state_at_once(around: Surroundings) -> None:
    story = fresh_story().suggest("Open RPC", name="rpc")
    around.tell(story)
    async with around.running(quiet_s=30, max_wait_s=30), around.asking() as gateway:
        first = await gateway.ask(asked(story), timeout_s=5)
        story.record("rpc", "applied_pending", "Waiting on the 14:00 cycle")
        second = await gateway.ask(asked(story), timeout_s=5)
    assert (first.status, first.body["state_version"]) == (200, story.version - 1)
    assert (second.status, second.body["state_version"]) == (200, story.version)
    assert "Applied, awaiting verification: Waiting on the 14:00 cycle" in second.body["markdown"]
    assert set(around.announced(story)) == {
        ("resolution_note", story.version - 1),
        ("resolution_note", story.version),
    }


async def test_both_documents_can_be_asked_for(around: Surroundings) -> None:
    story = fresh_story().fact("seen on the internal board", "internal")
    around.tell(story)
    async with around.running(), around.asking() as gateway:
        note, package = await asyncio.gather(
            *(gateway.ask(asked(story, kind), timeout_s=5) for kind in NoteKind)
        )
    assert note.body["kind"] == "resolution_note"
    assert package.body["kind"] == "escalation_package"
    assert "internal board" not in note.body["markdown"]
    assert "internal board" in package.body["markdown"]


async def test_a_foreign_session_answers_as_an_unknown_one(around: Surroundings) -> None:
    story, unknown = fresh_story(), fresh_story()
    around.tell(story)
    async with around.running(), around.asking() as gateway:
        foreign = await gateway.ask(asked(story, account=uuid4()), timeout_s=5)
        missing = await gateway.ask(asked(unknown), timeout_s=5)
    assert foreign.status == missing.status == 404
    assert foreign.body == missing.body == {"code": "not_found", "detail": "no such session"}


async def test_without_the_record_the_answer_is_unavailable(around: Surroundings) -> None:
    story = fresh_story()
    around.refuse_with = 503
    async with around.running(), around.asking() as gateway:
        answer = await gateway.ask(asked(story), timeout_s=5)
    assert answer.status == 503
    assert answer.body["code"] == "unavailable"


async def test_a_question_for_somebody_else_is_refused_alone(around: Surroundings) -> None:
    story = fresh_story()
    around.tell(story)

    def wrong(ref: int) -> Query:
        return Query(ref=ref, account_id=uuid4(), question=GetFix(session_id=uuid4(), fix_id=uuid4()))

    async with around.running(), around.asking() as gateway:
        refused, answered = await asyncio.gather(
            gateway.ask(wrong, timeout_s=5), gateway.ask(asked(story), timeout_s=5)
        )
    assert (refused.status, refused.body["code"]) == (422, "invalid")
    assert answered.status == 200


async def test_unreadable_previews_do_not_stop_the_others(around: Surroundings, broker: Broker) -> None:
    story = fresh_story()
    around.tell(story)
    async with around.running(), around.asking() as gateway:
        async with await aio_pika.connect(broker.url(Service.GATEWAY)) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(topology.QUERIES, ensure=False)
            for body, reply_to in ((b"nonsense", "x|rf.replies"), (b"{}", None)):
                message = aio_pika.Message(body, reply_to=reply_to, user_id="gateway")
                await exchange.publish(message, topology.NOTE_GENERATOR_PREVIEWS.routing_key)
        answer = await gateway.ask(asked(story), timeout_s=5)
    assert answer.status == 200


async def test_two_hundred_previews_over_two_replicas_cost_one_call(around: Surroundings) -> None:
    story = fresh_story()
    around.tell(story)

    all_have_asked = asyncio.Event()

    async def slowly(_: object) -> Said:
        await all_have_asked.wait()
        return said(handed_in(llm_note()))

    async with MessagesApi(slowly).serving() as api:
        more: dict[str, Any] = {
            **LLM,
            "anthropic_base_url": api.url,
            "quiet_s": 0.05,
            "previews_at_once": 200,
            "lease_s": 20,  # a machine that is busy is not a writer that died
        }
        async with around.running(**more), around.running(**more), around.asking() as gateway:
            await around.changed(story)
            asking = asyncio.gather(*(gateway.ask(asked(story), timeout_s=30) for _ in range(200)))
            try:
                await until(lambda: around.snapshots_asked >= 200 and api.requests, within_s=20)
            finally:
                all_have_asked.set()
            answers = await asking
            await until(lambda: len(set(around.announced(story))) == 2)
        calls = [request for request in api.requests if "Write the resolution note" in str(request["system"])]
    assert {answer.status for answer in answers} == {200}
    assert {answer.body["generator"] for answer in answers} == {"llm"}
    assert len({answer.body["markdown"] for answer in answers}) == 1
    assert len(calls) == 1


async def test_without_redis_a_preview_is_answered_and_written_once(around: Surroundings) -> None:
    story = fresh_story()
    around.tell(story)
    async with MessagesApi(lambda _: said(handed_in(llm_note()))).serving() as api:
        more: dict[str, Any] = {**LLM, "anthropic_base_url": api.url, "redis_url": NOWHERE}
        async with around.running(**more), around.asking() as gateway:
            began = time.perf_counter()
            answers = [await gateway.ask(asked(story), timeout_s=5) for _ in range(5)]
            took = time.perf_counter() - began
    assert {answer.status for answer in answers} == {200}
    assert len(api.requests) == 1
    assert took < 2


async def test_changes_wait_for_redis_to_come_back(around: Surroundings, servers: Servers) -> None:
    story = fresh_story()
    around.tell(story)
    before = outages("CacheAway")
    async with around.running(redis_url=NOWHERE):
        await around.changed(story)
        await until(lambda: outages("CacheAway") >= before + 2)
        assert around.announced(story) == []
    assert await around.ready(topology.NOTE_GENERATOR_STATE_CHANGES.name) == 1
    async with around.running(redis_url=servers.redis_url):
        await until(lambda: len(around.announced(story)) == 2)


async def test_an_answer_waits_for_a_publisher_that_is_not_connected_yet(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = fresh_story()

    class Counting(Publisher):
        """Counts what it could not answer."""

        unsent = 0

        async def reply(self, body: bytes, *, reply_to: str) -> None:
            try:
                await super().reply(body, reply_to=reply_to)
            except NotPublished:
                self.unsent += 1
                raise

    made: list[Counting] = []

    def through_the_proxy(*, url: str, **more: Any) -> Publisher:
        made.append(Counting(url=proxy.url(url), **more))
        return made[-1]

    monkeypatch.setattr("note_generator.app.Publisher", through_the_proxy)
    around.tell(story)
    async with proxy_to(around.broker.admin_url) as proxy, around.running(), around.asking() as gateway:
        [publisher] = made
        proxy.turn_deaf()
        await proxy.cut()
        await until(lambda: not publisher.ready)
        asking = asyncio.create_task(gateway.ask(asked(story), timeout_s=20))
        await until(lambda: publisher.unsent)
        proxy.hear_again()
        answer = await asking
    assert answer.status == 200


@pytest.mark.parametrize("reply_to", ["somewhere", "key|amq.direct", "|rf.replies"])
async def test_answers_go_nowhere_but_to_the_exchange_of_replies(around: Surroundings, reply_to: str) -> None:
    story, other = fresh_story(), fresh_story()
    around.tell(story)
    around.tell(other)
    async with around.running(), around.asking() as gateway:
        async with await aio_pika.connect(around.broker.url(Service.GATEWAY)) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(topology.QUERIES, ensure=False)
            from shared.contracts.queries import QueryBatch

            body = QueryBatch(queries=(asked(story)(1),)).model_dump_json().encode()
            message = aio_pika.Message(body, reply_to=reply_to, user_id="gateway")
            await exchange.publish(message, topology.NOTE_GENERATOR_PREVIEWS.routing_key)
        await until(lambda: around.announced(story))
        answer = await gateway.ask(asked(other), timeout_s=5)
    assert answer.status == 200


async def test_an_edited_text_is_held_against_the_record(around: Surroundings) -> None:
    story = fresh_story().suggest("Open RPC to the branch", name="rpc")
    story.record("rpc", "applied_pending", "Waiting on the 14:00 cycle")
    around.tell(story)

    def lint(markdown: str, account: UUID = ACCOUNT) -> Callable[[int], Query]:
        question = LintNote(session_id=story.session_id, note=NoteKind.RESOLUTION_NOTE, markdown=markdown)
        return lambda ref: Query(ref=ref, account_id=account, question=question)

    async with around.running(), around.asking() as gateway:
        honest = (await gateway.ask(asked(story), timeout_s=5)).body["markdown"]
        edited = honest.replace("In detail:", "The issue is resolved on srv-backup-09.")
        clean = await gateway.ask(lint(honest), timeout_s=5)
        found = await gateway.ask(lint(edited), timeout_s=5)
        foreign = await gateway.ask(lint(honest, account=uuid4()), timeout_s=5)
    assert (clean.status, clean.body) == (200, {"state_version": story.version, "violations": []})
    assert {(each["check"], each["rule"]) for each in found.body["violations"]} == {
        ("outcome", "claims a closure"),
        ("grounding", "unknown host name"),
    }
    assert all("srv-backup-09" in each["sentence"] for each in found.body["violations"])
    assert (foreign.status, foreign.body["code"]) == (404, "not_found")
