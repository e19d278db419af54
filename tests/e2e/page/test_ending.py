"""Resolve and Escalate: no open fix is forgotten, or turned into a success."""

import asyncio

import pytest
from e2e.client import Person
from e2e.page.conftest import Begin
from e2e.page.scenes import FIX, pending
from playwright.async_api import Route, expect

pytestmark = pytest.mark.full


async def test_resolving_asks_what_came_of_each_open_fix(begin: Begin, engineer: Person) -> None:
    fix, tab = await begin(pending)
    other = (await engineer.apply(await engineer.suggest(fix.session_id, title="Replace the router"))).fix
    await tab.shows("verifying")
    await tab.page.get_by_role("button", name="Resolve…").click()
    dialog = tab.page.get_by_role("dialog", name="Resolve this session")
    resolve = dialog.get_by_role("button", name="Resolve", exact=True)
    await expect(resolve).to_be_disabled()
    await dialog.get_by_role("group", name=FIX["title"]).get_by_label("Worked").check()
    await expect(resolve).to_be_disabled()
    await dialog.get_by_role("group", name="Replace the router").get_by_label("Didn't work").check()
    await resolve.click()
    await expect(tab.page.get_by_text("This session is resolved.")).to_be_visible()
    assert (await engineer.fix(fix)).status == "applied_success"
    assert (await engineer.fix(other)).status == "applied_failed"


async def test_a_parked_fix_goes_along_with_an_escalation_and_stays_answerable(
    begin: Begin, engineer: Person
) -> None:
    fix, tab = await begin(pending)
    await tab.page.get_by_role("button", name="Escalate…").click()
    dialog = tab.page.get_by_role("dialog", name="Escalate this session")
    await dialog.get_by_label("Goes along: verification pending").check()
    await dialog.get_by_role("button", name="Escalate", exact=True).click()
    await expect(tab.page.get_by_text("This session is escalated.")).to_be_visible()
    await tab.shows("pending")
    await tab.choose("Worked")
    await tab.shows("none")
    assert (await engineer.session(fix.session_id)).status == "escalated"


async def test_whoever_leaves_the_dialog_half_way_has_ended_no_session(
    begin: Begin, engineer: Person
) -> None:
    fix, tab = await begin(pending)
    go_on = asyncio.Event()

    async def slowly(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    await tab.page.route("**/outcome", slowly)
    await tab.page.get_by_role("button", name="Resolve…").click()
    dialog = tab.page.get_by_role("dialog", name="Resolve this session")
    await dialog.get_by_label("Worked").check()
    await dialog.get_by_role("button", name="Resolve", exact=True).click()
    await expect(dialog).to_contain_text("Saving what came of")
    await dialog.get_by_role("button", name="Leave").click()
    go_on.set()
    await tab.shows("none")
    await tab.say("It is still open")
    assert (await engineer.session(fix.session_id)).status == "active"
    assert (await engineer.fix(fix)).status == "applied_success"
