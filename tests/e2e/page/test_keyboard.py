"""A whole ticket without a mouse."""

from e2e.client import Person
from e2e.page.conftest import Begin, OpenTab
from e2e.page.scenes import verifying
from e2e.page.tab import Tab
from playwright.async_api import expect

NAME_OF_FOCUS = """() => {
    const it = document.activeElement;
    return it.labels?.[0]?.textContent || it.ariaLabel || it.textContent;
}"""


async def _tab_to(tab: Tab, name: str, key: str = "Tab") -> None:
    """Press Tab until what is called so has the focus."""
    for _ in range(60):
        await tab.page.keyboard.press(key)
        if (await tab.page.evaluate(NAME_OF_FOCUS)).strip() == name:
            return
    raise AssertionError(f"{name} cannot be reached with Tab")


async def _verdict(tab: Tab, letter: str) -> None:
    await tab.page.keyboard.press("v")
    await tab.page.keyboard.press(letter)


async def test_a_whole_ticket_with_the_keyboard_alone(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    tab = await open_tab(engineer, "/sessions")
    keys = tab.page.keyboard
    await expect(tab.page.get_by_role("heading", name="Sessions")).to_be_visible()
    await keys.press("n")
    await keys.type("The scanner does not send mail any more")
    await keys.press("Control+Enter")
    await tab.live()

    await keys.press("m")
    await keys.type("very well, v w is what I type")
    await keys.press("Enter")
    await expect(tab.conversation).to_contain_text("v w is what I type")
    await keys.press("Escape")
    session_id = tab.page.url.rpartition("/")[2]

    await _tab_to(tab, "Note")
    await keys.press("ArrowLeft")
    await _tab_to(tab, "Confirm a fact")
    await keys.type("The sender was never allowed to relay")
    await _tab_to(tab, "Confirm")
    await keys.press("Enter")
    await expect(tab.page.get_by_role("tabpanel")).to_contain_text("client may read it")
    await _tab_to(tab, "Facts 1", "Shift+Tab")
    await keys.press("ArrowLeft")
    await _tab_to(tab, "Suggest a fix…")
    await keys.press("Enter")
    await _tab_to(tab, "Title")
    await keys.type("Allow the scanner to relay")
    await keys.press("Tab")
    await keys.type("Add its address to the connector.")
    await _tab_to(tab, "Suggest")
    await keys.press("Enter")
    await tab.shows("proposed")

    await _verdict(tab, "a")
    await tab.shows("verifying")
    await _verdict(tab, "p")
    await expect(tab.banner.get_by_role("textbox")).to_be_focused()
    await keys.type("the accounting office is done")
    await keys.press("Control+Enter")
    await tab.shows("partial")
    await _verdict(tab, "t")
    await keys.type("waiting for the next scan run")
    await keys.press("Control+Enter")
    await tab.shows("pending")
    fix = (await engineer.get(f"/api/v1/ai-sessions/{session_id}/suggested-fixes/active")).fix
    await program.propose(fix)
    await tab.shows("ai_confirming")
    await _verdict(tab, "r")
    await tab.shows("pending")
    await keys.press("q")
    await expect(tab.page.get_by_role("heading", name="Awaiting verification")).to_be_visible()
    await _tab_to(tab, "The scanner does not send mail any more")
    await keys.press("Enter")
    await tab.shows("pending")
    await _verdict(tab, "w")
    await tab.shows("none")

    await _tab_to(tab, "Resolve…")
    await keys.press("Enter")
    await _tab_to(tab, "Resolve")
    await keys.press("Enter")
    await expect(tab.page.get_by_text("This session is resolved.")).to_be_visible()
    assert [entry.to for entry in await engineer.transitions(fix)][-1] == "applied_success"


async def test_a_menu_that_is_left_gives_the_focus_back(begin: Begin) -> None:
    _, tab = await begin(verifying)
    button = tab.banner.get_by_role("button", name="More outcomes")
    await button.focus()
    await tab.page.keyboard.press("Enter")
    await expect(tab.page.get_by_role("menuitem", name="Waiting to verify…")).to_be_focused()
    await tab.page.keyboard.press("Escape")
    await expect(button).to_be_focused()
    await tab.page.keyboard.press("Enter")
    await tab.page.keyboard.press("Enter")
    await expect(tab.banner.get_by_role("textbox")).to_be_focused()


async def test_the_overview_opens_closes_and_can_turn_the_keys_off(
    open_tab: OpenTab, engineer: Person
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
