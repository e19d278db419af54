"""Every view in both themes, narrow and wide: axe finds nothing, and nothing is wider than the window."""

from pathlib import Path
from typing import Literal

import pytest
from e2e.client import Person
from e2e.page.conftest import OpenTab
from e2e.page.views import VIEWS, found_by_axe, prepare_axe
from playwright.async_api import expect

pytestmark = pytest.mark.full

NARROW, WIDE = (360, 740), (1440, 900)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll("main, header, section, aside, dialog")]
    .filter(each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== "auto")
    .map(each => each.className || each.tagName)"""


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_is_accessible_and_fits(
    open_tab: OpenTab, engineer: Person, program: Person, view: str
) -> None:
    tab = await open_tab(engineer, "/sessions", viewport={"width": NARROW[0], "height": NARROW[1]})
    await VIEWS[view](tab, engineer, program)
    await prepare_axe(tab.page)
    for width, height in (NARROW, WIDE):
        await tab.page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            await tab.page.emulate_media(color_scheme=theme)
            found = await found_by_axe(tab.page)
            assert not found, (width, theme, found)
            assert await tab.page.evaluate(TOO_WIDE) == [], (width, theme)


BANNER = ("proposed", "verifying", "nudge", "pending", "partial", "ai-confirming")
PICTURES = (*(f"{view}-light" for view in (*BANNER, "intercept", "queue", "sessions")), "queue-dark")


@pytest.mark.parametrize("picture", PICTURES)
async def test_pictures_of_the_page_are_taken_where_asked_for(
    open_tab: OpenTab, engineer: Person, program: Person, picture: str, pytestconfig: pytest.Config
) -> None:
    folder = pytestconfig.getoption("--screenshots")
    if folder is None:
        pytest.skip("no --screenshots <folder>")
    view, _, theme = picture.rpartition("-")
    size = {"width": 960, "height": 600}
    tab = await open_tab(engineer, "/sessions", color_scheme=theme, viewport=size)
    await VIEWS[view](tab, engineer, program)
    if view in BANNER:
        await expect(tab.page.get_by_role("heading", name="Problem")).to_be_visible()
    assert await tab.page.screenshot(path=Path(folder) / f"{picture}.png")
