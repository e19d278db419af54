"""Two people on one session: each sees what the other did, and nothing that was typed is lost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from e2e.client import Person, fix_path, own_words
from e2e.listening import watching
from e2e.page.conftest import Begin, OpenTab
from e2e.page.scenes import pending, verifying
from playwright.async_api import Route, expect

pytestmark = pytest.mark.full


@contextmanager
def within_a_second() -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < 1


async def test_a_colleague_s_outcome_appears_within_a_second_and_without_a_reload(
    begin: Begin, open_tab: OpenTab, colleague: Person
) -> None:
    fix, mine = await begin(verifying)
    theirs = await open_tab(colleague, f"/sessions/{fix.session_id}")
    await theirs.live()
    await mine.page.evaluate("window.sameDocument = true")
    box = mine.page.get_by_role("textbox", name="Message")
    await box.fill("half a sentence")

    await theirs.choose("Worked")
    await theirs.says("Recorded: worked")
    with within_a_second():
        await mine.shows("none")
    await expect(box).to_have_value("half a sentence")
    await expect(box).to_be_focused()
    assert await mine.page.evaluate("window.sameDocument")


async def test_a_proposal_of_the_ai_appears_within_a_second(
    begin: Begin, engineer: Person, program: Person
) -> None:
    fix, tab = await begin(pending)
    await tab.shows("pending")
    (await program.propose(fix)).good()
    with within_a_second():
        await tab.shows("ai_confirming")
    assert (await engineer.get(fix_path(fix))).fix.status == "applied_pending"


async def test_a_note_appears_within_a_second_of_being_written(
    begin: Begin, engineer: Person, colleague: Person
) -> None:
    fix, tab = await begin(verifying)
    note = tab.page.get_by_role("tabpanel")
    await expect(note).to_contain_text("Up to date")
    words = own_words()
    async with watching(engineer, fix.session_id) as events:
        await events.until("state")
        (await colleague.record(fix, "applied_pending", words)).good()
        while (await events.until("note.regenerated")).data["data"]["kind"] != "resolution_note":
            pass
    with within_a_second():
        await expect(note).to_contain_text(words)


async def test_a_colleague_takes_the_button_away_and_the_focus_is_not_lost(
    begin: Begin, colleague: Person
) -> None:
    fix, tab = await begin(verifying)
    await tab.banner.get_by_role("button", name="Partly…").focus()
    (await colleague.record(fix, "applied_success")).good()
    await tab.shows("none")
    await expect(tab.banner).to_be_focused()


async def test_words_survive_a_colleague_who_is_faster(begin: Begin, colleague: Person) -> None:
    fix, tab = await begin(verifying)
    await tab.choose("Partly…")
    await tab.banner.get_by_role("textbox").fill("Half of the laptops")
    await colleague.record(fix, "applied_success")
    await tab.says("Grace recorded “worked”")
    await expect(tab.banner.get_by_role("textbox")).to_have_value("Half of the laptops")
    await expect(tab.banner.get_by_role("button", name="Record", exact=False)).to_be_disabled()
    await tab.choose("Close")
    await tab.shows("none")


async def test_who_is_too_late_reads_who_was_first(begin: Begin, engineer: Person, colleague: Person) -> None:
    fix, tab = await begin(verifying)

    async def after_the_colleague(route: Route) -> None:
        (await colleague.record(fix, "applied_success")).good()
        await route.continue_()

    await tab.page.route("**/outcome", after_the_colleague)
    await tab.choose("Didn't work")
    await tab.says("Not recorded: didn't work. Grace recorded “worked”")
    await tab.shows("none")
    assert (await engineer.fix(fix)).status == "applied_success"


async def test_an_answer_that_got_lost_is_asked_for_again_and_recorded_once(
    begin: Begin, engineer: Person
) -> None:
    fix, tab = await begin(pending)
    keys = []

    async def lose_the_first_answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            await route.fetch()
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await tab.page.route("**/outcome", lose_the_first_answer)
    await tab.choose("Worked")
    await tab.says("Recorded: worked")
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert [entry.to for entry in await engineer.transitions(fix)].count("applied_success") == 1


async def test_messages_typed_faster_than_they_are_recorded_arrive_once_and_in_order(
    begin: Begin, engineer: Person
) -> None:
    fix, tab = await begin(verifying)
    box = tab.page.get_by_role("textbox", name="Message")
    said = [f"line {number}" for number in range(5)]
    for words in said:
        await box.fill(words)
        await box.press("Enter")
    await tab.shows("nudge")
    await expect(tab.conversation.get_by_text("Sending…")).to_have_count(0)
    path = f"/api/v1/ai-sessions/{fix.session_id}/messages"
    recorded = [message["content"] for message in (await engineer.get(path)).items]
    assert recorded[-len(said) :] == said
    assert len(set(recorded)) == len(recorded)
