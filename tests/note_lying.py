"""A note-generator whose model says what a test wants, and everything that anyone could see of its notes."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gateway.note_stream
import pytest
from gateway.cache import NoteCache as GatewaysCache
from messages_api import MessagesApi, Said, handed_in
from note_generator.cache import NoteCache
from note_generator.domain.wording import HEADINGS
from note_generator_doubles import ACCOUNT, Surroundings, asked, until
from redis.asyncio import Redis
from shared.contracts.queries import Query
from shared.contracts.views import Note, NoteSoFar
from shared.contracts.vocabulary import NoteKind
from shared.courier import Courier
from unit.note_generator.note_stories import Story

PLACES = {"preview", "cache", "event", "stream"}


@dataclass
class Seen:
    """Everything that anyone could see of one note."""

    preview: dict[str, Any]
    again: Note | None
    cache: list[str]
    event: dict[str, Any]
    frames: list[tuple[str, dict[str, Any]]]
    drafts: list[str]


@dataclass
class Liar:
    """All that is between the model and whoever reads; the model says what the case wants, repaired or not."""

    around: Surroundings
    gateway: Courier[Query]
    cache: GatewaysCache
    redis: "Redis"
    handed_in: str = ""
    piece: int = 400
    drafts: list[str] = field(default_factory=list)

    def answer(self, _: object) -> Said:
        return Said(self.handed_in, piece=self.piece)

    async def tells(self, story: Story, kind: NoteKind, markdown: str) -> Seen:
        """Have the note streamed, previewed again and announced."""
        self.around.tell(story)
        self.handed_in, self.drafts = handed_in(markdown), []
        note: dict[str, Any] = {"account_id": ACCOUNT, "session_id": story.session_id, "kind": kind}
        answer = asyncio.ensure_future(self.gateway.ask(asked(story, kind), timeout_s=20))
        stream = gateway.note_stream.streamed(
            answer,
            look=partial(self.cache.so_far, **note, state_version=story.version),
            from_cache=False,
            state_version=story.version,
        )
        frames = [_frame(each) async for each in stream.body_iterator]
        await until(lambda: (kind, story.version) in self.around.announced(story))
        event = next(each["data"] for each in self.around.events if _is_about(each, story))
        keys = [key async for key in self.redis.scan_iter(f"*{story.session_id}*")]
        return Seen(
            preview=answer.result().body,
            again=await self.cache.note(**note, state_version=story.version),
            cache=[await self._value(key) for key in keys],
            event=event,
            frames=frames,
            drafts=self.drafts,
        )

    async def _value(self, key: str) -> str:
        if await self.redis.type(key) == "hash":
            return json.dumps(await self.redis.hgetall(key), ensure_ascii=False)
        return str(await self.redis.get(key))


def _frame(block: str | bytes | memoryview) -> tuple[str, dict[str, Any]]:
    assert isinstance(block, bytes)
    event, data = block.decode().strip().splitlines()
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def _is_about(event: dict[str, Any], story: Story) -> bool:
    return bool(event["data"]["session_id"] == str(story.session_id))


@asynccontextmanager
async def lying(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Liar]:
    """A note-generator whose model lies; every draft that it lets be seen is kept, however short it stands."""
    monkeypatch.setattr(gateway.note_stream, "_LOOK_S", 0.01)
    cache = GatewaysCache(url=around.redis_url, timeout_s=2)
    show = NoteCache.show
    async with (
        around.asking() as courier,
        _closing(cache),
        Redis.from_url(around.redis_url, decode_responses=True) as redis,
    ):
        liar = Liar(around, courier, cache, redis)

        async def shown(self: NoteCache, ref: Any, so_far: NoteSoFar, lock: str) -> None:
            liar.drafts.append(so_far.text)
            await show(self, ref, so_far, lock)

        monkeypatch.setattr(NoteCache, "show", shown)
        async with (
            MessagesApi(liar.answer).serving() as api,
            around.running(anthropic_api_key="no-real-key", anthropic_base_url=api.url, redis_timeout_s=2),
        ):
            yield liar


@asynccontextmanager
async def _closing(cache: GatewaysCache) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await cache.close()


def places(seen: Seen, lines: Iterable[str], kind: NoteKind) -> set[str]:
    """Where one of these lines, or a document without all its sections, was to be seen."""
    streamed_texts = [json.dumps(data, ensure_ascii=False) for _, data in seen.frames]
    texts = {
        "preview": [seen.preview["markdown"], json.dumps(seen.preview["citations"], ensure_ascii=False)],
        "cache": [*seen.cache, seen.again.model_dump_json() if seen.again else ""],
        "stream": [*streamed_texts, *seen.drafts],
    }
    lines = [json.dumps(line, ensure_ascii=False)[1:-1] for line in lines] + list(lines)
    found = {place for place, every in texts.items() for text in every for line in lines if line in text}
    if not all(heading in seen.preview["markdown"] for heading in HEADINGS[kind]):
        found.add("preview")
    if found and seen.event["generator"] == "llm":
        found.add("event")
    return found
