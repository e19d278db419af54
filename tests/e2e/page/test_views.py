"""Every view in both themes, narrow and wide: axe finds nothing, and nothing is wider than the window."""

from pathlib import Path

import pytest
from e2e.client import Person
from e2e.page.conftest import OpenTab
from e2e.page.views import VIEWS, found_by_axe

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


PICTURES = (
    "proposed",
    "verifying",
    "nudge",
    "pending",
    "partial",
    "ai-confirming",
    "intercept",
    "queue",
    "sessions",
)


@pytest.mark.parametrize("view", PICTURES)
async def test_pictures_of_the_page_are_taken_where_asked_for(
    open_tab: OpenTab, engineer: Person, program: Person, view: str, pytestconfig: pytest.Config
) -> None:
    folder = pytestconfig.getoption("--screenshots")
    if folder is None:
        pytest.skip("no --screenshots <folder>")
    for theme in ("light", "dark"):
        size = {"width": 1200, "height": 720}
        tab = await open_tab(engineer, "/sessions", color_scheme=theme, viewport=size)
        await VIEWS[view](tab, engineer, program)
        await tab.page.wait_for_timeout(1_500)
        path = Path(folder) / f"{view}-{theme}.png"
        assert await tab.page.screenshot(path=path)
