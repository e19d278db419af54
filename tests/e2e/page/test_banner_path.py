"""One ticket from its beginning to its end, through every mode of the banner."""

import re

from e2e.client import Person, fix_path
from e2e.page.conftest import OpenTab
from playwright.async_api import expect


async def test_a_ticket_goes_through_every_mode_of_the_banner(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    tab = await open_tab(engineer)
    page = tab.page
    await page.get_by_role("button", name="New session").click()
    await page.get_by_label("The ticket, as it came in").fill("No internet at reception since 9:00.")
    await page.get_by_role("button", name="Open session").click()
    await tab.live()
    await tab.shows("none")
    session_id = page.url.rpartition("/")[2]

    fixes = await tab.turn_to("Fixes")
    await fixes.get_by_text("Suggest a fix…").click()
    await fixes.get_by_label("Title").fill("Update the firmware")
    await fixes.get_by_label("What to do").fill("Install 3.2.1, then restart.")
    await fixes.get_by_role("button", name="Suggest").click()
    await tab.shows("proposed")

    await tab.choose("Apply")
    await tab.shows("verifying")
    await tab.says("by Ada")

    for words in ("Installed it", "It restarts", "The lamp is green"):
        await tab.say(words)
    await tab.shows("nudge")

    await tab.choose("Partly…")
    record = tab.banner.get_by_role("button", name=re.compile("^Record"))
    await expect(record).to_be_disabled()
    await tab.because("Router done, the second access point is not")
    await tab.shows("partial")
    await tab.says("the second access point is not")

    await tab.choose("Waiting to verify…")
    await tab.because("Client power-cycles the router at 18:00")
    await tab.shows("pending")
    await tab.says("Client power-cycles the router at 18:00")

    fix = (await engineer.get(f"/api/v1/ai-sessions/{session_id}/suggested-fixes/active")).fix
    await program.propose(fix)
    await tab.shows("ai_confirming")
    await tab.says("AI thinks: worked, because Client: the internet is back")

    await tab.choose("Confirm")
    await tab.shows("none")
    await tab.says("Recorded: worked")
    recorded = (await engineer.get(fix_path(fix))).fix
    assert (recorded.status, recorded.pending_reason) == (
        "applied_success",
        "Client power-cycles the router at 18:00",
    )
