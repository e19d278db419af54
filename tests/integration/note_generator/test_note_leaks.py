"""All secrets of the corpus in one session: the model, events, the cache and the logs get none of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from messages_api import MessagesApi, Said, handed_in, said
from note_generator_doubles import Surroundings, asked, fresh_story, until
from redis.asyncio import Redis
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.leaks import LEAKS

NOTE = (
    "## Problem\n\nNo internet.\n\n## What we confirmed\n\nNothing yet.\n\n"
    "## Root cause\n\nNot known yet.\n\n## Resolution\n\nNo change was made.\n"
)


def echoing(request: dict[str, Any]) -> Said:
    """First all that it was given, then an honest note."""
    repaired = len(request["messages"]) > 1
    return said(handed_in(NOTE) if repaired else json.dumps(request["messages"]))


@pytest.mark.parametrize(
    "answer", [echoing, lambda _: said(handed_in(NOTE + "\n" + LEAKS[3][0]))], ids=["echo", "leak"]
)
async def test_no_secret_goes_anywhere(
    around: Surroundings, capfd: pytest.CaptureFixture[str], answer: Callable[[dict[str, Any]], Said]
) -> None:
    story = fresh_story(intake="\n".join(text for text, _ in LEAKS[:20]))
    for text, _ in LEAKS:
        story.say("client", text).fact(text)
    around.tell(story)
    async with MessagesApi(answer).serving() as api:
        running = around.running(anthropic_api_key="no-real-key", anthropic_base_url=api.url)
        async with running, around.asking() as gateway:
            await around.changed(story)
            answers = [await gateway.ask(asked(story, kind), timeout_s=20) for kind in NoteKind]
            await until(lambda: len(set(around.announced(story))) == 2, within_s=20)
    seen = {"model": json.dumps(api.requests), "events": json.dumps(around.events)}
    seen["answers"] = json.dumps([each.body for each in answers])
    seen["logs"] = "".join(capfd.readouterr())
    async with Redis.from_url(around.redis_url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter(f"*{story.session_id}*")]
        values = [await redis.hgetall(key) for key in keys if await redis.type(key) == "hash"]
        seen["cache"] = json.dumps([keys, values])
    assert api.requests
    assert len(values) >= 2
    found = {
        (where, secret)
        for where, text in seen.items()
        for _, secret in LEAKS
        if json.dumps(secret)[1:-1] in text
    }
    assert found == set()
