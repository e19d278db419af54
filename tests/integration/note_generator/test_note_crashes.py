"""Processes that die and servers that go away: a call more at the most, and never a note less."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from devstack.containers import start_test_servers
from devstack.servers import Servers
from messages_api import MessagesApi, Said, handed_in, said
from note_generator_doubles import Surroundings, asked, fresh_story, outages, until
from places import own_broker
from pydantic import SecretStr
from shared.contracts import topology
from shared.contracts.vocabulary import NoteKind

NOTE = (
    "## Problem\n\nNo internet.\n\n## What we confirmed\n\nNothing yet.\n\n"
    "## Root cause\n\nNot known yet.\n\n## Resolution\n\nNo change was made.\n"
)
QUEUE = topology.NOTE_GENERATOR_STATE_CHANGES


def environment(around: Surroundings, **more: Any) -> dict[str, str]:
    settings = around.settings(port=0, **more).model_dump(exclude_none=True, exclude_defaults=True)
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in settings.items()
    }
    return dict(os.environ) | {f"NOTE_GENERATOR_{name.upper()}": value for name, value in plain.items()}


@asynccontextmanager
async def process(around: Surroundings, **more: Any) -> AsyncIterator[asyncio.subprocess.Process]:
    """A replica as it really runs; killed at the end if it is not gone by then."""
    command = (sys.executable, "-m", "note_generator", "run")
    replica = await asyncio.create_subprocess_exec(
        *command, env=environment(around, **more), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield replica
    finally:
        if replica.returncode is None:
            replica.kill()
        await replica.wait()


def calls(api: MessagesApi, kind: str) -> int:
    """First calls; a text that was refused costs a repair more."""
    first = [request for request in api.requests if len(request["messages"]) == 1]
    return sum(kind in str(request["system"]) for request in first)


async def test_killed_during_the_models_call_another_replica_writes_with_one_call_more(
    around: Surroundings,
) -> None:
    story = fresh_story()
    around.tell(story)
    release = asyncio.Event()

    async def when_released(_: dict[str, Any]) -> Said:
        await release.wait()
        return said(handed_in(NOTE))

    async with MessagesApi(when_released).serving() as api:
        more: dict[str, Any] = {"anthropic_api_key": SecretStr("no-real-key"), "anthropic_base_url": api.url}
        async with process(around, **more) as first, around.asking() as gateway:
            await around.changed(story)
            preview = asyncio.ensure_future(gateway.ask(asked(story), timeout_s=25))
            await until(lambda: len(api.requests) == 2, within_s=20)
            async with around.running(**more):
                first.kill()
                await first.wait()
                release.set()
                answer = await preview
                await until(
                    lambda: {kind for kind, _ in around.announced(story)} == set(NoteKind), within_s=20
                )
    assert (answer.status, answer.body["generator"]) == (200, "llm")
    assert calls(api, "Write the resolution note") <= 2
    assert calls(api, "Write the escalation package") <= 2


async def test_a_stop_ends_within_its_time_and_loses_nothing(around: Surroundings) -> None:
    stories = [fresh_story() for _ in range(20)]
    for story in stories:
        around.tell(story)

    async def all_are_held() -> bool:
        return await around.ready(QUEUE.name) == 0

    async with process(around, quiet_s=30, max_wait_s=30) as replica:
        async with around.asking() as gateway:
            assert (await gateway.ask(asked(stories[0]), timeout_s=20)).status == 200
        seen = around.snapshots_asked
        for story in stories:
            await around.changed(story)
        await until(all_are_held)
        began = time.monotonic()
        replica.send_signal(signal.SIGTERM)
        await replica.wait()
        assert time.monotonic() - began < 5
        assert around.snapshots_asked == seen  # nothing new was begun
    async with around.running():
        await until(lambda: all(len(set(around.announced(story))) == 2 for story in stories), within_s=20)
    assert await around.ready(QUEUE.name) == 0


@pytest.mark.full
async def test_the_servers_come_and_go_and_the_notes_follow(tmp_path_factory: pytest.TempPathFactory) -> None:
    servers: Servers = start_test_servers(tmp_path_factory.mktemp("own"))
    with servers, own_broker(servers) as broker:
        async with Surroundings(broker, servers.redis_url) as around:
            story = fresh_story()
            around.tell(story)
            async with around.running():
                await around.changed(story)
                await until(lambda: len(around.announced(story)) == 2)
                await asyncio.sleep(3)  # a quorum queue that was just declared does not survive a kill
                await asyncio.to_thread(servers["redis"].kill)
                before = outages("CacheAway")
                story.say("engineer", "redis is gone")
                await around.changed(story)
                await until(lambda: outages("CacheAway") > before)
                await asyncio.to_thread(servers["redis"].restart)
                await until(
                    lambda: ("resolution_note", story.version) in around.announced(story), within_s=15
                )
                await asyncio.to_thread(servers["rabbitmq"].kill)
                await asyncio.to_thread(servers["rabbitmq"].restart)
                async with Surroundings(broker, servers.redis_url) as again:
                    story.say("engineer", "the broker was gone")
                    again.tell(story)
                    await again.changed(story)
                    await until(lambda: len(again.announced(story)) == 2, within_s=30)
                    async with again.asking() as gateway:
                        assert (await gateway.ask(asked(story), timeout_s=10)).status == 200
