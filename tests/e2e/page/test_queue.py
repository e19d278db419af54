"""What awaits verification: all of it, oldest first, with the verdict in the row."""

import asyncio

import pytest
from devstack.stack import Stack
from e2e.client import Person, own_words
from e2e.page.conftest import Begin, OpenTab
from e2e.page.scenes import NOTES, REASON, TITLE, partial, pending
from e2e.page.tab import Tab
from playwright.async_api import Locator, Route, expect

pytestmark = [pytest.mark.full, pytest.mark.timeout(240)]


def rows_of(tab: Tab) -> Locator:
    return tab.page.get_by_role("main").get_by_role("listitem")


async def test_the_queue_shows_what_waits_and_takes_the_verdict(
    open_tab: OpenTab, engineer: Person, colleague: Person, program: Person
) -> None:
    first = await pending(engineer, program)
    second = await partial(colleague, program)
    tab = await open_tab(engineer, "/awaiting")
    rows = rows_of(tab)
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0)).to_contain_text(REASON)
    await expect(rows.nth(0)).to_contain_text("by Ada")
    await expect(rows.nth(1)).to_contain_text(NOTES)

    await tab.page.get_by_role("button", name="Parked by me").click()
    await expect(rows).to_have_count(1)
    await rows.first.get_by_role("button", name="Update reason…").click()
    words = own_words()
    await rows.first.get_by_role("textbox").fill(words)
    await rows.first.get_by_role("button", name="Record", exact=False).click()
    await expect(rows.first).to_contain_text(words)
    await rows.first.get_by_role("button", name="Worked", exact=True).click()
    await expect(rows.first).to_contain_text("Recorded: worked")
    await tab.page.get_by_role("button", name="All", exact=True).click()
    await expect(rows).to_have_count(1)
    await rows.first.get_by_role("link").click()
    await tab.shows("partial")
    assert (await engineer.fix(first)).status == "applied_success"
    assert tab.page.url.endswith(str(second.session_id))


async def test_what_was_decided_stays_in_its_place_and_no_other_row_slides_under_the_hand(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    first = await pending(engineer, program)
    second = await pending(engineer, program)
    tab = await open_tab(engineer, "/awaiting")
    rows = rows_of(tab)
    await rows.first.get_by_role("button", name="Worked", exact=True).dblclick()
    await expect(rows.first).to_contain_text("Recorded: worked")
    await expect(rows.first.get_by_role("button", name="Worked", exact=True)).to_have_count(0)
    await expect(rows).to_have_count(2)
    assert (await engineer.fix(first)).status == "applied_success"
    assert (await engineer.fix(second)).status == "applied_pending"


async def test_who_is_too_late_in_the_queue_reads_who_was_first(
    open_tab: OpenTab, engineer: Person, colleague: Person, program: Person
) -> None:
    fix = await pending(engineer, program)
    tab = await open_tab(engineer, "/awaiting")

    async def after_the_colleague(route: Route) -> None:
        (await colleague.record(fix, "applied_failed")).good()
        await route.continue_()

    await tab.page.route("**/outcome", after_the_colleague)
    await rows_of(tab).first.get_by_role("button", name="Worked", exact=True).click()
    await expect(rows_of(tab).first).to_contain_text("Not recorded: worked. Grace recorded “didn't work”")


async def test_the_queue_follows_by_itself_and_takes_no_words_away(
    open_tab: OpenTab, engineer: Person, colleague: Person, program: Person
) -> None:
    fix = await pending(engineer, program)
    tab = await open_tab(engineer, "/awaiting")
    row = rows_of(tab).first
    await row.get_by_role("button", name="Update reason…").click()
    await row.get_by_role("textbox").fill("Half of a sent")
    await partial(colleague, program)
    await expect(rows_of(tab)).to_have_count(2)
    (await colleague.record(fix, "applied_success")).good()
    await expect(row).to_contain_text("Grace recorded “worked”")
    await expect(row.get_by_role("textbox")).to_have_value("Half of a sent")


async def test_while_the_gateway_is_away_the_queue_says_so_and_then_shows_what_came(
    open_tab: OpenTab, engineer: Person, program: Person, stack: Stack
) -> None:
    await pending(engineer, program)
    tab = await open_tab(engineer, "/awaiting")
    await expect(rows_of(tab)).to_have_count(1)
    await asyncio.to_thread(stack.stop, "gateway")
    await expect(tab.page.get_by_text("This is how it was")).to_be_visible()
    await expect(rows_of(tab)).to_have_count(1)
    await asyncio.to_thread(stack.start, "gateway")
    await asyncio.to_thread(stack.wait_ready, "gateway")
    await partial(engineer, program)
    await expect(rows_of(tab)).to_have_count(2)
    await expect(tab.page.get_by_text("This is how it was")).to_have_count(0)


async def test_a_parked_fix_behind_a_newer_suggestion_stays_answerable(
    begin: Begin, engineer: Person
) -> None:
    parked, tab = await begin(pending)
    await engineer.suggest(parked.session_id, title="Replace the router")
    await tab.shows("proposed")
    fixes = await tab.turn_to("Fixes")
    await fixes.get_by_role("button", name="Worked", exact=True).click()
    await expect(fixes).to_contain_text("Recorded: worked")
    assert (await engineer.fix(parked)).status == "applied_success"


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
    await expect(tab.page.get_by_text(TITLE)).to_be_visible()
    await expect(tab.page.get_by_role("button", name="Worked")).to_have_count(0)
    await tab.page.goto("/sessions")
    await expect(rows_of(tab)).to_have_count(1)
    await expect(tab.page.get_by_role("button", name="New session")).to_have_count(0)
    assert (await engineer.fix(fix)).status == "applied_pending"
