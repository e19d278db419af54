"""A writer with a model behind it, and an honest note about one of the golden stories."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from note_generator.aloud import Show, unseen
from note_generator.app import create_writer
from note_generator.cache import NoteCache
from note_generator.domain.bundle import bundle
from note_generator.domain.template import document
from note_generator.settings import Settings
from note_generator.writer import Draft, Writer
from note_generator_doubles import ACCOUNT
from pydantic import SecretStr
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.golden_stories import REASON, STORIES

NOWHERE = "redis://127.0.0.1:1/0"
HONEST = (
    "## Problem\n\nThe internet drops.\n\n## What we confirmed\n\n- The log shows timeouts.\n\n"
    "## Root cause\n\nNot established yet.\n\n"
    f"## Resolution\n\nThe firmware is staged; it is awaiting verification: {REASON}"
)


def settings(url: str, **more: Any) -> Settings:
    values: dict[str, Any] = {
        "amqp_url": SecretStr("amqp://nowhere"),
        "redis_url": SecretStr(NOWHERE),
        "anthropic_base_url": url,
    }
    return Settings(
        **(values | {"anthropic_api_key": SecretStr("no-real-key"), "llm_timeout_s": 10.0} | more)
    )


@asynccontextmanager
async def a_writer(url: str, **more: Any) -> AsyncIterator[Writer]:
    """A writer whose cache is away, so that no test finds another's texts."""
    cache = NoteCache(url=more.pop("redis", NOWHERE), timeout_s=0.5, ttl_s=60, lease_s=1)
    writer = create_writer(settings(url, **more), cache=cache)
    try:
        yield writer
    finally:
        await writer.close()
        await cache.close()


async def written(
    url: str,
    story: str = "pending",
    kind: NoteKind = NoteKind.RESOLUTION_NOTE,
    show: Show = unseen,
    **more: Any,
) -> Draft:
    async with a_writer(url, **more) as writer:
        return await writer.write(bundle(STORIES[story]().snapshot(), kind), account_id=ACCOUNT, show=show)


def template(story: str = "pending", kind: NoteKind = NoteKind.RESOLUTION_NOTE) -> str:
    return document(bundle(STORIES[story]().snapshot(), kind))
