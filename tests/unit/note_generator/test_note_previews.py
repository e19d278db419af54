"""An answer that is there is delivered as long as somebody waits for it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from faststream.rabbit import RabbitMessage
from note_generator.handlers import Handlers
from note_generator.messenger import Messenger, NotAReplyAddress
from note_generator.outage import BrokerAway
from note_generator.previews import Previews
from shared.contracts.answers import Answer, Answers
from shared.contracts.queries import LintNote, Query, QueryBatch
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.jumping_loop import on_a_jumping_clock

WITHIN_S = 30.0


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Played(Messenger):
    """A messenger whose broker is back at a time, and refuses the first messages even then."""

    back_at: float
    refused: int = 0
    tried_at: list[float] = field(default_factory=list)
    sent: list[Answer] = field(default_factory=list)
    error: Exception = field(default_factory=BrokerAway)

    async def wait_ready(self, timeout_s: float) -> bool:
        await asyncio.sleep(min(max(self.back_at - now(), 0), timeout_s))
        return now() >= self.back_at

    async def answer(self, answers: Answers, *, reply_to: str) -> None:
        self.tried_at.append(now())
        if now() < self.back_at or len(self.tried_at) <= self.refused:
            raise self.error
        self.sent += answers.answers


@dataclass(frozen=True)
class Judge:
    """Handlers that judge a text, in their time."""

    takes_s: float = 0.0

    async def lint(self, *, ref: int, **_: Any) -> Answer:
        await asyncio.sleep(self.takes_s)
        return Answer(ref=ref, status=HTTPStatus.OK, body={})


async def answered(messenger: Messenger, *, takes_s: float = 0.0) -> float:
    """How long a question is held until it can be acknowledged."""
    question = LintNote(session_id=UUID(int=2), note=NoteKind.RESOLUTION_NOTE, markdown="text")
    query = Query(ref=7, account_id=UUID(int=1), question=question)
    message: Mapping[str, Any] = {
        "body": QueryBatch(queries=(query,)).model_dump_json().encode(),
        "reply_to": "key|rf.replies",
        "raw_message": SimpleNamespace(expiration=None),
    }
    handlers = cast("Handlers", Judge(takes_s))
    previews = Previews(handlers=handlers, messenger=messenger, at_once=1, within_s=WITHIN_S)
    began = now()
    await previews.answer(cast("RabbitMessage", SimpleNamespace(**message)))
    return now() - began


@on_a_jumping_clock
async def test_an_answer_waits_for_the_broker_before_its_question_is_acknowledged() -> None:
    messenger = Played(back_at=12.0)
    assert await answered(messenger) == pytest.approx(12.0)
    assert [(each.ref, each.status) for each in messenger.sent] == [(7, 200)]
    assert len(messenger.tried_at) == 2


@on_a_jumping_clock
async def test_an_answer_that_a_broker_refuses_is_repeated_with_a_pause() -> None:
    messenger = Played(back_at=0.0, refused=3)
    await answered(messenger)
    assert len(messenger.sent) == 1
    pauses = [
        after - before for before, after in zip(messenger.tried_at, messenger.tried_at[1:], strict=False)
    ]
    assert len(pauses) == 3
    assert min(pauses) >= 0.1


@on_a_jumping_clock
async def test_nobody_waits_any_longer_than_a_question_lasts() -> None:
    never, stubborn = Played(back_at=1_000.0), Played(back_at=0.0, refused=1_000)
    for messenger in (never, stubborn):
        assert await answered(messenger, takes_s=5) == pytest.approx(WITHIN_S, abs=1)
        assert messenger.sent == []
    assert len(never.tried_at) == 1


@on_a_jumping_clock
async def test_an_answer_that_took_all_the_time_is_sent_once_all_the_same() -> None:
    messenger = Played(back_at=0.0)
    assert await answered(messenger, takes_s=100) == pytest.approx(WITHIN_S)
    assert [each.status for each in messenger.sent] == [503]


@on_a_jumping_clock
async def test_what_is_no_address_is_not_tried_again() -> None:
    messenger = Played(back_at=1_000.0, error=NotAReplyAddress())
    assert await answered(messenger) == 0
    assert len(messenger.tried_at) == 1
