"""A note's text is seen while the model writes it, each sentence once it is checked; what breaks off is taken back."""

import asyncio
import itertools
import json
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from devstack.servers import Servers
from messages_api import MessagesApi, handed_in, said
from note_generator.cache import Granted, NoteCache, NoteRef
from note_generator.domain.wording import NOT_ISOLATED
from note_generator_doubles import ACCOUNT, fresh_story
from note_writing import HONEST, template, written
from redis.asyncio import Redis
from shared.contracts.cache import draft_key
from shared.contracts.views import NoteSoFar
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.golden_stories import REASON

ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}
ERROR_IN_STREAM = f"event: error\ndata: {json.dumps(ERROR)}\n\n".encode()
LIE = "\n\nThe issue is now resolved."


class Screen:
    """Remembers everything that was to be seen, in order."""

    def __init__(self) -> None:
        self.seen: list[NoteSoFar] = []
        self.changed = asyncio.Event()

    async def show(self, so_far: NoteSoFar) -> None:
        self.seen.append(so_far)
        self.changed.set()


@pytest.mark.parametrize("stream", [False, True])
async def test_the_played_server_says_the_same_in_one_piece_and_in_many(stream: bool) -> None:
    async with MessagesApi(lambda _: said(HONEST, "max_tokens")).serving() as api:
        client = AsyncAnthropic(api_key="no-real-key", base_url=api.url, max_retries=0)
        asked: Any = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        if stream:
            async with client.messages.stream(**asked) as incoming:
                message = await incoming.get_final_message()
        else:
            message = await client.messages.create(**asked)
        await client.close()
    [block] = message.content
    assert block.type == "text"
    assert (block.text, message.stop_reason) == (HONEST, "max_tokens")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (10, 20)


async def test_sentences_are_seen_before_the_model_is_done() -> None:
    screen = Screen()

    async def waits_for_the_reader(piece: int) -> None:
        if piece == 12:
            await screen.changed.wait()

    said_slowly = said(handed_in(HONEST), between=waits_for_the_reader)
    async with MessagesApi(lambda _: said_slowly).serving() as api:
        draft = await written(api.url, show=screen.show, llm_timeout_s=5)
    texts = [each.text for each in screen.seen]
    assert "The internet drops." in texts[0]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(texts))
    assert draft.markdown == HONEST + "\n"
    assert draft.markdown.startswith(texts[-1])


async def test_a_lie_is_never_seen_and_what_stood_before_it_is_taken_back() -> None:
    screen = Screen()
    markdown = HONEST.replace("- The log", f"-{LIE.strip()}\n- The log")
    async with MessagesApi(lambda _: said(handed_in(markdown))).serving() as api:
        await written(api.url, show=screen.show)
    assert any("The internet drops." in each.text for each in screen.seen)
    assert not any("now resolved" in each.text for each in screen.seen)
    assert screen.seen[-1].text == ""
    assert "claims a closure" in screen.seen[-1].replaced


async def test_a_root_cause_is_not_seen_before_its_support_is_known() -> None:
    screen = Screen()
    text = HONEST.replace("Not established yet.", "The renew timeout on wan0 is the cause.\n\nSo it is.")
    text += "\n\nNext, the client restarts it.\n\nThat is all."
    async with MessagesApi(lambda _: said(handed_in(text))).serving() as api:
        draft = await written(api.url, show=screen.show)
    assert NOT_ISOLATED in draft.markdown
    assert any(NOT_ISOLATED in each.text for each in screen.seen)
    assert not any("is the cause" in each.text for each in screen.seen)


async def test_the_outcome_is_not_told_by_halves() -> None:
    screen = Screen()
    text = HONEST.replace("The firmware is staged;", "The firmware is there.\n\nIt is staged;")
    text += "\n\nNext, the client restarts it.\n\nThat is all."
    async with MessagesApi(lambda _: said(handed_in(text))).serving() as api:
        await written(api.url, show=screen.show)
    told = [each.text for each in screen.seen if "## Resolution" in each.text]
    assert told
    assert all(REASON in each for each in told)


@pytest.mark.parametrize(
    ("ending", "reason"),
    [(b"", "could not be reached"), (ERROR_IN_STREAM, "overloaded"), (b": end\n\n", "could not be reached")],
    ids=["cut", "error in the stream", "ended too soon"],
)
async def test_a_stream_that_breaks_off_is_begun_anew_and_then_left_to_the_template(
    monkeypatch: pytest.MonkeyPatch, ending: bytes, reason: str
) -> None:
    monkeypatch.setattr("note_generator.asking._FIRST_PAUSE_S", 0.02)
    screen = Screen()
    broken = said(handed_in(HONEST), cut=12, ending=ending)
    async with MessagesApi(lambda _: broken).serving() as api:
        draft = await written(api.url, show=screen.show)
    assert len(api.requests) == 3
    assert draft.markdown == template()
    assert reason in draft.warnings[0]
    assert screen.seen[0].text
    assert screen.seen[-1] == NoteSoFar(replaced=(f"the model {_in_words(reason)}",))
    # Three times the input is paid for, and what was written of the output.
    assert draft.usage is not None
    assert (draft.usage.calls, draft.usage.input_tokens) == (3, 30)
    assert draft.usage.output_tokens > 3 * 100


def _in_words(reason: str) -> str:
    return reason if reason.startswith("could") else f"is {reason}"


async def test_another_beginning_takes_the_first_one_back() -> None:
    screen = Screen()
    answers = [
        said(handed_in(HONEST.replace("The internet", "The line")), cut=12, ending=ERROR_IN_STREAM),
        said(handed_in(HONEST)),
    ]
    async with MessagesApi(lambda _: answers.pop(0)).serving() as api:
        draft = await written(api.url, show=screen.show, llm_timeout_s=5)
    assert (draft.markdown, draft.warnings) == (HONEST + "\n", ())
    assert "The line drops." in screen.seen[0].text
    assert screen.seen[0].replaced == ()
    assert "The internet drops." in screen.seen[-1].text
    assert screen.seen[-1].replaced == ("the model began anew",)


async def test_only_the_holder_of_the_lock_is_seen(servers: Servers) -> None:
    cache = NoteCache(url=servers.redis_url, timeout_s=2, ttl_s=60, lease_s=30)
    ref = NoteRef(ACCOUNT, fresh_story().session_id, NoteKind.RESOLUTION_NOTE, 3)
    claim = await cache.claim(ref)
    assert isinstance(claim, Granted)
    await cache.show(ref, NoteSoFar(text="by the holder"), claim.lock)
    await cache.show(ref, NoteSoFar(text="by one who woke up late"), "1:nobody")
    await cache.close()
    async with Redis.from_url(servers.redis_url) as redis:
        kept = await redis.get(draft_key(*ref))
    assert kept is not None
    assert NoteSoFar.model_validate_json(kept).text == "by the holder"
