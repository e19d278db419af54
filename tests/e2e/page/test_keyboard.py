"""A whole ticket without a mouse."""

import pytest
from e2e.client import Person
from e2e.page.conftest import OpenTab
from e2e.page.tab import Tab
from playwright.async_api import expect

pytestmark = pytest.mark.full


async def _tab_to(tab: Tab, name: str) -> None:
    """Press Tab until the button of this name has the focus."""
    for _ in range(60):
        await tab.page.keyboard.press("Tab")
        if (
            await tab.page.evaluate(
                "document.activeElement.matches('button') && document.activeElement.textContent"
            )
            == name
        ):
            return
    raise AssertionError(f"{name} cannot be reached with Tab")


async def test_a_whole_ticket_with_the_keyboard_alone(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    tab = await open_tab(engineer, "/sessions")
    keys = tab.page.keyboard
    await expect(tab.page.get_by_role("heading", name="Sessions")).to_be_visible()
    await keys.press("n")
    await keys.type("The scanner does not send mail any more")
    await _tab_to(tab, "Open session")
    await keys.press("Enter")
    await tab.live()

    await keys.press("m")
    await keys.type("very well, v w is what I type")
    await keys.press("Enter")
    await expect(tab.conversation).to_contain_text("v w is what I type")
    await keys.press("Escape")
    session_id = tab.page.url.rpartition("/")[2]
    fix = await engineer.suggest(session_id)  # type: ignore[arg-type]
    await tab.shows("proposed")

    await keys.press("v")
    await keys.press("a")
    await tab.shows("verifying")
    await keys.press("v")
    await keys.press("p")
    await expect(tab.banner.get_by_role("textbox")).to_be_focused()
    await keys.type("the accounting office is done")
    await keys.press("Control+Enter")
    await tab.shows("partial")
    await keys.press("v")
    await keys.press("t")
    await keys.type("waiting for the next scan run")
    await keys.press("Control+Enter")
    await tab.shows("pending")
    await program.propose(fix)
    await tab.shows("ai_confirming")
    await keys.press("v")
    await keys.press("r")
    await tab.shows("pending")
    await keys.press("v")
    await keys.press("w")
    await tab.shows("none")

    await _tab_to(tab, "Resolve…")
    await keys.press("Enter")
    await _tab_to(tab, "Resolve")
    await keys.press("Enter")
    await expect(tab.page.get_by_text("This session is resolved.")).to_be_visible()
    assert [entry.to for entry in await engineer.transitions(fix)][-1] == "applied_success"


async def test_the_overview_opens_closes_and_can_turn_the_keys_off(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    tab = await open_tab(engineer, "/sessions")
    await expect(tab.page.get_by_role("heading", name="Sessions")).to_be_visible()
    await tab.page.keyboard.press("?")
    overview = tab.page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(overview).to_be_visible()
    await overview.get_by_label("Use single-key shortcuts").uncheck()
    await tab.page.keyboard.press("Escape")
    await expect(overview).to_have_count(0)
    await tab.page.keyboard.press("?")
    await tab.page.keyboard.press("q")
    await expect(tab.page.get_by_role("heading", name="Sessions")).to_be_visible()
    await expect(overview).to_have_count(0)
