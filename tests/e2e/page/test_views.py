"""Every view in both themes, narrow and wide: axe finds nothing, and nothing is wider than the window."""

from pathlib import Path

import pytest
from e2e.client import Person
from e2e.page.conftest import OpenTab
from e2e.page.views import VIEWS, found_by_axe
from playwright.async_api import expect

pytestmark = pytest.mark.full

WINDOWS = {
    f"{width} {theme}": {"color_scheme": theme, "viewport": {"width": width, "height": height}}
    for width, height in ((360, 740), (1440, 900))
    for theme in ("light", "dark")
}
TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll("main, header, section, aside, dialog")]
    .filter(each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== "auto")
    .map(each => each.className || each.tagName)"""


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("window", WINDOWS)
async def test_a_view_is_accessible_and_fits(
    open_tab: OpenTab, engineer: Person, program: Person, view: str, window: str
) -> None:
    tab = await open_tab(engineer, "/sessions", **WINDOWS[window])
    await VIEWS[view](tab, engineer, program)
    found = await found_by_axe(tab.page)
    assert not found, found
    assert await tab.page.evaluate(TOO_WIDE) == []


BANNER = ("proposed", "verifying", "nudge", "pending", "partial", "ai-confirming")
PICTURES = (
    *(f"{view}-light" for view in (*BANNER, "intercept", "queue", "sessions")),
    *(f"{view}-dark" for view in ("pending", "queue")),
)


@pytest.mark.parametrize("picture", PICTURES)
async def test_pictures_of_the_page_are_taken_where_asked_for(
    open_tab: OpenTab, engineer: Person, program: Person, picture: str, pytestconfig: pytest.Config
) -> None:
    folder = pytestconfig.getoption("--screenshots")
    if folder is None:
        pytest.skip("no --screenshots <folder>")
    view, _, theme = picture.rpartition("-")
    size = {"width": 1000, "height": 620}
    tab = await open_tab(engineer, "/sessions", color_scheme=theme, viewport=size)
    await VIEWS[view](tab, engineer, program)
    if view in BANNER:
        await expect(tab.page.get_by_role("heading", name="Problem")).to_be_visible()
    assert await tab.page.screenshot(path=Path(folder) / f"{picture}.png")
