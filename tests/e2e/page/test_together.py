"""Two people on one session: each sees what the other did, and nothing that was typed is lost."""

import time

import pytest
from e2e.client import Person, fix_path
from e2e.page.conftest import OpenTab
from e2e.page.scenes import pending, verifying
from playwright.async_api import Route, expect

pytestmark = pytest.mark.full


async def test_a_colleague_s_outcome_appears_within_a_second_and_without_a_reload(
    open_tab: OpenTab, engineer: Person, colleague: Person, program: Person
) -> None:
    fix = await verifying(engineer, program)
    mine = await open_tab(engineer, f"/sessions/{fix.session_id}")
    theirs = await open_tab(colleague, f"/sessions/{fix.session_id}")
    await mine.live()
    await theirs.live()
    await mine.page.evaluate("window.sameDocument = true")
    box = mine.page.get_by_role("textbox", name="Message")
    await box.fill("half a sentence")

    await theirs.choose("Worked")
    await theirs.says("Recorded: worked")
    told = time.monotonic()
    await mine.shows("none")
    assert time.monotonic() - told < 1
    await expect(box).to_have_value("half a sentence")
    await expect(box).to_be_focused()
    assert await mine.page.evaluate("window.sameDocument")


async def test_words_survive_a_colleague_who_is_faster(
    open_tab: OpenTab, engineer: Person, colleague: Person, program: Person
) -> None:
    fix = await verifying(engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.live()
    await tab.choose("Partly…")
    await tab.banner.get_by_role("textbox").fill("Half of the laptops")
    await colleague.record(fix, "applied_success")
    await tab.says("Grace recorded “worked”")
    await expect(tab.banner.get_by_role("textbox")).to_have_value("Half of the laptops")
    await expect(tab.banner.get_by_role("button", name="Record", exact=False)).to_be_disabled()
    await tab.choose("Close")
    await tab.shows("none")


async def test_who_is_too_late_reads_who_was_first(
    open_tab: OpenTab, engineer: Person, colleague: Person, program: Person
) -> None:
    fix = await verifying(engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")

    async def after_the_colleague(route: Route) -> None:
        (await colleague.record(fix, "applied_success")).good()
        await route.continue_()

    await tab.page.route("**/outcome", after_the_colleague)
    await tab.choose("Didn't work")
    await tab.says("Not recorded: didn't work. Grace recorded “worked”")
    await tab.shows("none")
    assert (await engineer.fix(fix)).status == "applied_success"


async def test_an_answer_that_got_lost_is_asked_for_again_and_recorded_once(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await pending(engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
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
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await verifying(engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    box = tab.page.get_by_role("textbox", name="Message")
    said = [f"line {number}" for number in range(5)]
    for words in said:
        await box.fill(words)
        await box.press("Enter")
    await tab.shows("nudge")
    await expect(tab.conversation.get_by_text("Sending…")).to_have_count(0)
    path = f"/api/v1/ai-sessions/{fix.session_id}/messages"
    assert [message["content"] for message in (await engineer.get(path)).items] == said


async def test_a_proposal_of_the_ai_appears_by_itself(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await pending(engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.shows("pending")
    await tab.live()
    await program.propose(fix)
    await tab.shows("ai_confirming")
    assert (await engineer.get(fix_path(fix))).fix.status == "applied_pending"


async def test_a_viewer_s_page_offers_no_action(
    open_tab: OpenTab, engineer: Person, viewer: Person, program: Person
) -> None:
    fix = await pending(engineer, program)
    tab = await open_tab(viewer, f"/sessions/{fix.session_id}")
    await tab.shows("pending")
    await expect(tab.banner.get_by_role("button")).to_have_count(0)
    await expect(tab.page.get_by_role("textbox")).to_have_count(0)
    for name in ("Resolve…", "Escalate…"):
        await expect(tab.page.get_by_role("button", name=name)).to_have_count(0)
    await tab.page.keyboard.type("vw")
    await tab.page.goto("/awaiting")
    await expect(tab.page.get_by_text("No internet at reception")).to_be_visible()
    await expect(tab.page.get_by_role("button", name="Worked")).to_have_count(0)
    await tab.page.goto("/sessions")
    await expect(tab.page.get_by_role("list")).not_to_have_count(0)
    await expect(tab.page.get_by_text("New session from a ticket…")).to_have_count(0)
    assert (await engineer.fix(fix)).status == "applied_pending"
