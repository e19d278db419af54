"""What a call costs is counted, capped, and not spent twice on the same text."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from devstack.servers import Servers
from messages_api import MessagesApi, Said, handed_in, said, went_wrong
from note_generator.cache import NoteCache
from note_generator.domain.bundle import bundle
from note_generator.ledger import entries
from note_generator_doubles import ACCOUNT, fresh_story
from note_writing import HONEST, NOWHERE, a_writer, written
from shared.contracts.vocabulary import NoteKind
from starlette.responses import Response
from unit.note_generator.golden_stories import REASON, STORIES


async def test_an_unchanged_bundle_costs_no_second_call(servers: Servers) -> None:
    story = fresh_story().fact("The log shows a timeout.")
    text = HONEST.replace(REASON, "a check").replace(
        "The firmware is staged; it is awaiting", "No change, no"
    )
    async with (
        MessagesApi(lambda _: said(handed_in(text))).serving() as api,
        a_writer(api.url, redis=servers.redis_url) as writer,
    ):
        made = bundle(story.snapshot(), NoteKind.RESOLUTION_NOTE)
        first = await writer.write(made, account_id=ACCOUNT)
        story.fact("known to us alone", "internal")
        unchanged = bundle(story.snapshot(), NoteKind.RESOLUTION_NOTE)
        second = await writer.write(unchanged, account_id=ACCOUNT)
        foreign = await writer.write(unchanged, account_id=uuid4())
    assert (first.generator, first.markdown) == (second.generator, second.markdown)
    assert (second.usage, foreign.usage is None) == (None, False)
    assert len(api.requests) == 2


async def test_what_the_template_covers_costs_no_call() -> None:
    async with MessagesApi(lambda _: said("nonsense")).serving() as api:
        draft = await written(api.url, "dismissed")
        assert (draft.generator, draft.degraded, api.requests) == ("template", False, [])
        await written(api.url, "dismissed_after_it_was_applied")
    assert api.requests


@pytest.mark.parametrize("there", [True, False])
async def test_a_budget_warns_at_80_percent_and_ends_in_the_template(servers: Servers, there: bool) -> None:
    """A call is reckoned at its most until it is over, less than 0.01 dollars here, and costs 0.009 really."""
    answer = said(handed_in(HONEST), usage={"input_tokens": 0, "output_tokens": 600})
    account, made = uuid4(), bundle(STORIES["pending"]().snapshot(), NoteKind.RESOLUTION_NOTE)
    redis = servers.redis_url if there else NOWHERE
    async with (
        MessagesApi(lambda _: answer).serving() as api,
        a_writer(api.url, redis=redis, budget_usd_per_day=0.1, max_tokens=256) as writer,
    ):
        drafts = []
        for number in range(12):
            changed = replace(made, intake=f"{made.intake} {number}")
            drafts.append(await writer.write(changed, account_id=account))
        foreign = await writer.write(made, account_id=uuid4())
    assert [draft.generator for draft in drafts] == ["llm"] * 11 + ["template"]
    assert len(api.requests) == 12
    warnings = [draft.warnings for draft in drafts]
    assert warnings[:9] == [()] * 9
    assert warnings[9:11] == [(f"{used} % of today's budget for the model is used",) for used in (81, 90)]
    assert drafts[-1].degraded
    assert "budget for the model is used up" in warnings[-1][0]
    assert foreign.generator == "llm"


async def test_each_call_is_in_the_ledger_of_its_account_and_day(servers: Servers) -> None:
    account, made = uuid4(), bundle(STORIES["pending"]().snapshot(), NoteKind.RESOLUTION_NOTE)
    answers: list[Said | Response] = [
        said("{}"),
        said(handed_in(HONEST)),
        went_wrong(400, "invalid_request_error"),
    ]
    async with (
        MessagesApi(lambda _: answers.pop(0)).serving() as api,
        a_writer(api.url, redis=servers.redis_url) as writer,
    ):
        first = await writer.write(made, account_id=account)
        await writer.write(replace(made, intake="Something else."), account_id=account)
    cache = NoteCache(url=servers.redis_url, timeout_s=0.5, ttl_s=60, lease_s=1)
    spent = await entries(cache, account, f"{datetime.now(UTC):%Y-%m-%d}", calls=10)
    await cache.close()
    assert (spent["calls"], spent["input_tokens"], spent["output_tokens"]) == (3, 20, 40)
    assert (spent["outcome:written"], spent["outcome:bad_request"]) == (2, 1)
    assert first.usage is not None
    assert spent["usd"] == pytest.approx(first.usage.cost_usd)
    assert [call["outcome"] for call in spent["newest"]] == ["bad_request", "written", "written"]


async def test_an_answer_without_sense_leaves_nothing_set_aside(servers: Servers) -> None:
    """Of the budget, one call at its most is 0.01 dollars here: what stays set aside ends in the template soon."""
    account, made = uuid4(), bundle(STORIES["pending"]().snapshot(), NoteKind.RESOLUTION_NOTE)
    senseless = said(handed_in(HONEST), usage={"input_tokens": -10, "output_tokens": -20})
    async with (
        MessagesApi(lambda _: senseless).serving() as api,
        a_writer(
            api.url, redis=servers.redis_url, budget_usd_per_day=0.03, max_tokens=256, llm_failures=20
        ) as writer,
    ):
        drafts = [await writer.write(made, account_id=account) for _ in range(5)]
    assert {draft.warnings for draft in drafts} == {("the model could not be asked",)}
    cache = NoteCache(url=servers.redis_url, timeout_s=0.5, ttl_s=60, lease_s=1)
    spent = await entries(cache, account, f"{datetime.now(UTC):%Y-%m-%d}", calls=10)
    await cache.close()
    assert (spent["usd"], spent["outcome:error"]) == (0, 5)
