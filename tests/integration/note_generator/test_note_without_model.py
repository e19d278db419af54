"""With no key, a wrong key, a model out of reach or no budget, the demo's notes are complete and say who wrote them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from messages_api import MessagesApi, went_wrong
from note_generator.domain.bundle import bundle
from note_generator.domain.checks.examination import violations
from note_generator.domain.wording import HEADINGS, sections_of
from note_generator.frugal import covered_by_template
from note_generator_doubles import Surroundings, asked
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.note_stories import played, tickets

NOBODY = "http://127.0.0.1:1"


@asynccontextmanager
async def no_key() -> AsyncIterator[dict[str, Any]]:
    yield {}


@asynccontextmanager
async def a_wrong_key() -> AsyncIterator[dict[str, Any]]:
    async with MessagesApi(lambda _: went_wrong(401, "authentication_error")).serving() as api:
        yield {"anthropic_api_key": "wrong", "anthropic_base_url": api.url}


@asynccontextmanager
async def nobody_there() -> AsyncIterator[dict[str, Any]]:
    yield {"anthropic_api_key": "none", "anthropic_base_url": NOBODY, "llm_retries": 0}


@asynccontextmanager
async def no_budget() -> AsyncIterator[dict[str, Any]]:
    yield {"anthropic_api_key": "none", "anthropic_base_url": NOBODY, "budget_usd_per_day": 0.0}


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        (no_key, set()),
        (a_wrong_key, {"the model refused the key", "the model failed several times"}),
        (nobody_there, {"the model could not be reached", "the model failed several times"}),
        (no_budget, {"the account's budget for the model is used up"}),
    ],
    ids=["no key", "a wrong key", "nobody there", "no budget"],
)
async def test_every_note_of_the_demo_is_complete_and_says_who_wrote_it(
    around: Surroundings, model: Any, reasons: set[str]
) -> None:
    stories = [played(ticket) for ticket in tickets().values()]
    async with model() as settings, around.running(**settings), around.asking() as gateway:
        for story in stories:
            story.session_id = uuid4()
            around.tell(story)
            for kind in NoteKind:
                note = (await gateway.ask(asked(story, kind), timeout_s=20)).body
                made = bundle(story.snapshot(), kind)
                assert tuple(sections_of(note["markdown"])) == HEADINGS[kind]
                assert all(sections_of(note["markdown"]).values())
                assert violations(note["markdown"], made) == ()
                assert note["generator"] == "template"
                wanted = bool(reasons) and not covered_by_template(made)
                assert note["degraded"] == wanted
                assert all(any(reason in each for reason in reasons) for each in note["warnings"])
                assert bool(note["warnings"]) == wanted
    assert len(stories) >= 15
