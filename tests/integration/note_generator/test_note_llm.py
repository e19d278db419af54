"""The model's text is shown if it agrees with the record; whatever else happens, the template writes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from golden_stories import REASON, STORIES
from note_generator.app import create_writer
from note_generator.domain.bundle import bundle
from note_generator.domain.template import document
from note_generator.settings import Settings
from note_generator.writer import Draft
from note_generator_doubles import MessagesApi, said, went_wrong
from pydantic import SecretStr
from shared.contracts.vocabulary import NoteKind
from starlette.responses import HTMLResponse, JSONResponse, Response

Answer = Callable[[dict[str, Any]], Awaitable[Response] | Response]

HONEST = (
    "## Problem\n\nThe internet drops.\n\n## What we confirmed\n\n- The log shows timeouts.\n\n"
    "## Root cause\n\nNot established yet.\n\n"
    f"## Resolution\n\nThe firmware is staged; it is awaiting verification: {REASON}"
)


def settings(url: str, **more: Any) -> Settings:
    secret = SecretStr("x")
    values: dict[str, Any] = {"amqp_url": secret, "redis_url": secret, "anthropic_base_url": url}
    return Settings(**(values | {"anthropic_api_key": SecretStr("no-real-key"), "llm_timeout_s": 0.5} | more))


async def written(url: str, story: str = "pending", kind: NoteKind = NoteKind.RESOLUTION_NOTE) -> Draft:
    writer = create_writer(settings(url))
    try:
        return await writer.write(bundle(STORIES[story]().snapshot(), kind))
    finally:
        await writer.close()


def template(story: str = "pending", kind: NoteKind = NoteKind.RESOLUTION_NOTE) -> str:
    return document(bundle(STORIES[story]().snapshot(), kind))


async def test_an_honest_text_is_shown() -> None:
    async with MessagesApi(lambda _: said(HONEST)).serving() as api:
        draft = await written(api.url)
    assert draft.markdown == HONEST + "\n"
    assert (draft.generator, draft.degraded, draft.warnings) == ("llm", False, ())


async def test_the_model_gets_the_record_and_people_only_as_data() -> None:
    async with MessagesApi(lambda _: said("nonsense")).serving() as api:
        await written(api.url, "pending")
        await written(api.url, "hostile_text")
        await written(api.url, "hostile_text", NoteKind.ESCALATION_PACKAGE)
    told, hostile, package = (request["messages"][0]["content"] for request in api.requests)
    assert "Outcome status: applied_pending" in told
    assert REASON in told
    assert "NOC" not in told
    assert "Tabby-Cat-7741" not in hostile + package
    assert hostile.count("<record>") == hostile.count("</record>") == 1
    assert "<script>" not in hostile
    for line in hostile.splitlines():
        assert line.startswith("| ") or "Ignore your instructions" not in line
    assert "| ## Resolution" in hostile


def cut_off(_: dict[str, Any]) -> Response:
    return said(HONEST, stop_reason="max_tokens")


async def slow(_: dict[str, Any]) -> Response:
    await asyncio.sleep(1.5)
    return said(HONEST)


@pytest.mark.parametrize(
    ("answer", "warning"),
    [
        (lambda _: said(HONEST + "\n\nThe issue is now resolved."), "refused: claims a closure"),
        (lambda _: said(HONEST.replace(REASON, "the client")), "refused: recorded words missing"),
        (lambda _: said(HONEST.replace("## Root cause", "## Why")), "refused: headings"),
        (lambda _: said("Here you go:\n" + HONEST), "refused: headings"),
        (lambda _: said(HONEST + "\n<img src=x>"), "refused: HTML"),
        (lambda _: said("I cannot help", stop_reason="refusal"), "declined"),
        (cut_off, "cut off"),
        (lambda _: said("  "), "wrote nothing"),
        (slow, "took too long"),
        (lambda _: went_wrong(400, "invalid_request_error"), "refused the request"),
        (lambda _: went_wrong(401, "authentication_error"), "refused the key"),
        (lambda _: went_wrong(429, "rate_limit_error"), "rate limit"),
        (lambda _: went_wrong(500, "api_error"), "had an error"),
        (lambda _: went_wrong(529, "overloaded_error"), "overloaded"),
        (lambda _: HTMLResponse("<html>gateway</html>"), "could not be asked"),
        (lambda _: JSONResponse({"unexpected": True}), "could not be asked"),
        (
            lambda _: JSONResponse({"content": None, "stop_reason": "end_turn", "usage": {}}),
            "could not be asked",
        ),
        (lambda _: Response(status_code=200), "could not be asked"),
    ],
)
async def test_anything_else_gives_the_template_and_says_why(answer: Answer, warning: str) -> None:
    async with MessagesApi(answer).serving() as api:
        draft = await written(api.url)
    assert len(api.requests) == 1
    assert draft.markdown == template()
    assert (draft.generator, draft.degraded) == ("template", True)
    assert len(draft.warnings) == 1
    assert warning in draft.warnings[0]


async def test_an_unreachable_model_gives_the_template() -> None:
    draft = await written("http://127.0.0.1:1")
    assert (draft.markdown, draft.degraded) == (template(), True)
    assert draft.warnings == ("the model could not be reached",)


async def test_without_a_key_the_template_is_what_was_wanted() -> None:
    writer = create_writer(settings("http://127.0.0.1:1", anthropic_api_key=None))
    draft = await writer.write(bundle(STORIES["pending"]().snapshot(), NoteKind.ESCALATION_PACKAGE))
    assert (draft.markdown, draft.degraded) == (template(kind=NoteKind.ESCALATION_PACKAGE), False)
