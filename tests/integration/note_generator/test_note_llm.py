"""The model's text is shown if it agrees with the record; whatever else happens, the template writes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from messages_api import MessagesApi, Said, handed_in, said, went_wrong
from note_generator.domain.bundle import bundle
from note_generator.domain.written import Writing
from note_generator_doubles import ACCOUNT
from note_writing import HONEST, a_writer, template, written
from patience import eventually
from prometheus_client import REGISTRY
from shared.contracts.vocabulary import NoteKind
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from structlog.testing import capture_logs
from unit.note_generator.golden_stories import REASON, STORIES

Answer = Callable[[dict[str, Any]], Any]


async def test_an_honest_text_is_shown() -> None:
    async with MessagesApi(lambda _: said(handed_in(HONEST))).serving() as api:
        draft = await written(api.url)
    assert draft.markdown == HONEST + "\n"
    assert (draft.generator, draft.degraded, draft.warnings) == ("llm", False, ())


async def test_the_model_gets_the_record_and_people_only_as_data() -> None:
    async with MessagesApi(lambda _: said("nonsense")).serving() as api:
        await written(api.url, "pending")
        await written(api.url, "hostile_text")
        await written(api.url, "hostile_text", NoteKind.ESCALATION_PACKAGE)
    told, hostile, package = (request["messages"][0]["content"] for request in api.requests[::2])
    assert "Outcome status: applied_pending" in told
    assert REASON in told
    assert "NOC" not in told
    assert "Tabby-Cat-7741" not in hostile + package
    assert hostile.count("<record>") == hostile.count("</record>") == 1
    assert "<script>" not in hostile
    for line in hostile.splitlines():
        assert line.startswith("| ") or "Ignore your instructions" not in line
    assert "| ## Resolution" in hostile


def cut_off(_: dict[str, Any]) -> Said:
    return said(handed_in(HONEST), stop_reason="max_tokens")


async def lost(_: dict[str, Any]) -> Response:
    return StreamingResponse(_half(), media_type="application/json", headers={"content-length": "5000"})


async def _half() -> AsyncIterator[bytes]:
    yield b'{"id": "msg'


def not_what_it_says() -> Response:
    headers = {"content-encoding": "gzip", "content-type": "text/event-stream"}
    return Response(b"this is no gzip", headers=headers)


def too_deep() -> Response:
    deep = "[" * 200_000
    return Response(f"event: message_start\ndata: {deep}\n\n", media_type="text/event-stream")


def takes(read: int, wrote: int) -> Said:
    return said(handed_in(HONEST), usage={"input_tokens": read, "output_tokens": wrote})


def lie(extra: str) -> Answer:
    return lambda _: said(handed_in(HONEST + extra))


RECORD = ("R", "Outcome status")


@pytest.mark.parametrize(
    ("answer", "warning"),
    [
        (lie("\n\nThe issue is now resolved."), "claims a closure"),
        (lie("\n\nThis concerns srv-backup-09 alone."), "unknown host name"),
        (lie("\n\nSee KB9999999 for that."), "unknown KB number"),
        (lie("\n\nPrinting from FS-77 fails for p.novak@fabrikam.example."), "unknown e-mail address"),
        (lie("\n\nThe client said “please do it over the weekend”."), "quote not found"),
        (lambda _: said(handed_in(HONEST, ("R", "is working again"))), "quote not found"),
        (lambda _: said(handed_in(HONEST, ("F99", "Outcome status"))), "unknown evidence"),
        (lie("\n\n[as agreed](#there)"), "disguised link"),
        (lie("\n\nLook at https://evil.example/login there."), "unknown address"),
        (lie("\n\nThe password: Tabby-Cat-7741 is there."), "secret"),
        (lambda _: said(handed_in(HONEST.replace(REASON, "the client"))), "recorded words missing"),
        (lambda _: said(handed_in(HONEST.replace("## Root cause", "## Why"))), "headings"),
        (lambda _: said(handed_in(HONEST).replace("Root cause", "Root\\n## cause")), "headings"),
        (lambda _: said("Here you go:\n" + HONEST), "form"),
        (lambda _: said('{"sections": "none"}'), "form"),
        (lie("\n<img src=x>"), "HTML"),
    ],
)
async def test_a_lie_is_named_once_to_the_model_and_then_the_template_writes(
    answer: Answer, warning: str
) -> None:
    async with MessagesApi(answer).serving() as api:
        draft = await written(api.url)
    assert draft.markdown == template()
    assert (draft.generator, draft.degraded) == ("template", True)
    assert warning in draft.warnings[0]
    first, repair = (request["messages"] for request in api.requests)
    assert (len(first), len(repair)) == (1, 3)
    assert warning in repair[2]["content"]
    assert draft.usage is not None
    assert (draft.usage.calls, draft.usage.input_tokens) == (2, 20)


async def test_a_text_that_was_repaired_is_shown() -> None:
    def second_time(request: dict[str, Any]) -> Said:
        lied = "" if len(request["messages"]) == 3 else "\n\nThe issue is now resolved."
        return said(handed_in(HONEST + lied))

    async with MessagesApi(second_time).serving() as api:
        draft = await written(api.url)
    assert (draft.markdown, draft.generator, draft.warnings) == (HONEST + "\n", "llm", ())


async def test_a_root_cause_that_nobody_spoke_of_is_not_isolated() -> None:
    text = HONEST.replace("Not established yet.", "The renew timeout on wan0 is the cause.")
    async with MessagesApi(lambda _: said(handed_in(text))).serving() as api:
        draft = await written(api.url)
    assert "## Root cause\n\nThe root cause was not definitively isolated.\n" in draft.markdown
    assert "not definitively isolated" in draft.warnings[0]
    async with MessagesApi(lambda _: said(handed_in(text, ("F1", "renew timeout")))).serving() as api:
        assert "timeout on wan0 is the cause" in (await written(api.url)).markdown


async def test_citations_name_the_facts_by_their_ids() -> None:
    async with MessagesApi(lambda _: said(handed_in(HONEST, ("F1", "renew timeout")))).serving() as api:
        draft = await written(api.url)
    fact = STORIES["pending"]().facts[0]
    cited = {(each.kind, each.id, each.quote) for citation in draft.citations for each in citation.evidence}
    assert cited == {("fact", str(fact.id), "renew timeout")}
    assert "The log shows timeouts." in {citation.sentence for citation in draft.citations}


@pytest.mark.parametrize(
    ("answer", "warning", "calls"),
    [
        (lambda _: said("I cannot help", stop_reason="refusal"), "declined", 1),
        (cut_off, "cut off", 1),
        (lambda _: said("  "), "wrote nothing", 1),
        (lost, "could not be reached", 3),
        (lambda _: went_wrong(400, "invalid_request_error"), "refused the request", 1),
        (lambda _: went_wrong(401, "authentication_error"), "refused the key", 1),
        (lambda _: went_wrong(402, "billing_error"), "spend limit", 1),
        (lambda _: went_wrong(429, "rate_limit_error"), "rate limit", 3),
        (lambda _: went_wrong(429, "rate_limit_error", retry_after="0.01"), "rate limit", 3),
        (lambda _: went_wrong(429, "rate_limit_error", retry_after="60"), "rate limit", 1),
        (lambda _: went_wrong(429, "rate_limit_error", "Your monthly spend limit"), "spend limit", 1),
        (lambda _: went_wrong(500, "api_error"), "had an error", 3),
        (lambda _: went_wrong(529, "overloaded_error"), "overloaded", 3),
        (lambda _: HTMLResponse("<html>gateway</html>"), "could not be asked", 1),
        (lambda _: JSONResponse({"unexpected": True}), "could not be asked", 1),
        (
            lambda _: JSONResponse({"content": None, "stop_reason": "end_turn", "usage": {}}),
            "could not be asked",
            1,
        ),
        (lambda _: Response(status_code=200), "could not be asked", 1),
        (lambda _: not_what_it_says(), "could not be asked", 1),
        (lambda _: too_deep(), "could not be asked", 1),
        (lambda _: takes(-10, 20), "could not be asked", 1),
        (lambda _: takes(10, -20), "could not be asked", 1),
        (lambda _: takes(10**400, 20), "could not be asked", 1),
    ],
)
async def test_anything_else_gives_the_template_and_says_why(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, warning: str, calls: int
) -> None:
    monkeypatch.setattr("note_generator.asking._FIRST_PAUSE_S", 0.02)
    async with MessagesApi(answer).serving() as api:
        draft = await written(api.url)
    assert len(api.requests) == calls
    assert draft.markdown == template()
    assert (draft.generator, draft.degraded) == ("template", True)
    assert len(draft.warnings) == 1
    assert warning in draft.warnings[0]


async def test_a_model_that_is_too_slow_gives_the_template_and_is_asked_once() -> None:
    given_up = asyncio.Event()

    async def slow(_: dict[str, Any]) -> Said:
        await given_up.wait()
        return said(handed_in(HONEST))

    async with MessagesApi(slow).serving() as api:
        try:
            draft = await written(api.url, llm_timeout_s=0.5)
        finally:
            given_up.set()
    assert len(api.requests) == 1
    assert (draft.markdown, draft.warnings) == (template(), ("the model took too long",))
    assert (draft.generator, draft.degraded) == ("template", True)


async def test_a_call_that_succeeds_after_a_pause_is_no_failure() -> None:
    answers: list[Said | Response] = [
        went_wrong(529, "overloaded_error", retry_after="0"),
        said(handed_in(HONEST)),
    ]
    async with MessagesApi(lambda _: answers.pop(0)).serving() as api:
        assert (await written(api.url)).generator == "llm"


async def test_a_mistake_of_ours_gives_the_template_and_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def mistaken(_: str) -> Writing:
        raise ZeroDivisionError

    monkeypatch.setattr("note_generator.incoming.writing_so_far", mistaken)
    async with MessagesApi(lambda _: said(handed_in(HONEST))).serving() as api:
        with capture_logs() as logs:
            draft = await written(api.url)
    assert (draft.markdown, draft.degraded) == (template(), True)
    [said_of_it] = [each for each in logs if each.get("reason") == "ZeroDivisionError"]
    line = mistaken.__code__.co_firstlineno + 1
    assert (said_of_it["log_level"], said_of_it["where"]) == ("error", f"{__file__}:{line}")


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: went_wrong(401, "authentication_error"),
        lambda _: HTMLResponse("<html>gateway</html>"),
        lambda _: not_what_it_says(),
        lambda _: takes(-10, 20),
    ],
)
async def test_a_model_that_fails_and_fails_is_left_alone_for_a_while(answer: Answer) -> None:
    async with (
        MessagesApi(answer).serving() as api,
        a_writer(api.url, llm_failures=2, llm_rest_s=0.3) as writer,
    ):
        made = bundle(STORIES["pending"]().snapshot(), NoteKind.RESOLUTION_NOTE)
        drafts = [await writer.write(made, account_id=ACCOUNT) for _ in range(4)]
        assert len(api.requests) == 2
        assert "not asked for a while" in drafts[-1].warnings[0]

        async def asked_again() -> bool:
            await writer.write(made, account_id=ACCOUNT)
            return len(api.requests) > 2

        await eventually(asked_again, within_s=5)
    assert len(api.requests) == 3


async def test_an_unreachable_model_gives_the_template() -> None:
    draft = await written("http://127.0.0.1:1")
    assert (draft.markdown, draft.degraded) == (template(), True)
    assert draft.warnings == ("the model could not be reached",)


async def test_without_a_key_the_template_is_what_was_wanted() -> None:
    draft = await written("http://127.0.0.1:1", kind=NoteKind.ESCALATION_PACKAGE, anthropic_api_key=None)
    assert (draft.markdown, draft.degraded) == (template(kind=NoteKind.ESCALATION_PACKAGE), False)


async def test_what_a_call_cost_is_counted_whether_its_answer_was_of_use_or_not() -> None:
    before = cost()
    async with MessagesApi(cut_off).serving() as api:
        draft = await written(api.url)
    assert draft.generator == "template"
    assert cost() - before == pytest.approx((10 * 3 + 20 * 15) / 1_000_000)


def cost() -> float:
    return REGISTRY.get_sample_value("rf_note_generator_llm_cost_usd_total") or 0.0
