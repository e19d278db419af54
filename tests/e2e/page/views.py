"""Every view of the page, for the tests that look at all of them: accessibility, width, pictures."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from devstack.services import PAGE
from e2e.client import Person
from e2e.page.scenes import SCENES, nudge, partial, pending
from e2e.page.tab import Tab
from playwright.async_api import Page, expect

AXE = PAGE.parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

View = Callable[[Tab, Person, Person], Awaitable[None]]


async def sign_in(tab: Tab, _: Person, __: Person) -> None:
    await tab.page.evaluate("sessionStorage.clear()")
    await tab.page.get_by_role("button", name="Sign out").click()
    await expect(tab.page.get_by_text("Sam Okafor")).to_be_visible()


async def session_list(tab: Tab, engineer: Person, program: Person) -> None:
    await pending(engineer, program)
    await partial(engineer, program)
    await tab.page.goto("/sessions")
    await expect(tab.page.get_by_text("awaiting verification").first).to_be_visible()


async def queue(tab: Tab, engineer: Person, program: Person) -> None:
    await pending(engineer, program)
    await partial(engineer, program)
    await tab.page.goto("/awaiting")
    await expect(tab.page.get_by_role("button", name="Worked").first).to_be_visible()


def session_in(mode: str) -> View:
    async def view(tab: Tab, engineer: Person, program: Person) -> None:
        fix = await SCENES[mode](engineer, program)
        await tab.visit(fix.session_id)
        await tab.shows(mode)

    return view


async def form(tab: Tab, engineer: Person, program: Person) -> None:
    await session_in("verifying")(tab, engineer, program)
    await tab.choose("Partly…")


async def intercept(tab: Tab, engineer: Person, program: Person) -> None:
    fix = await nudge(engineer, program)
    await tab.visit(fix.session_id)
    await tab.page.get_by_role("button", name="Escalate…").click()
    await tab.page.get_by_role("dialog").get_by_label("Goes along, waiting to verify…").check()


async def shortcuts(tab: Tab, _: Person, __: Person) -> None:
    await tab.page.goto("/sessions")
    await tab.page.get_by_role("button", name="Keyboard shortcuts").click()
    await expect(tab.page.get_by_role("dialog")).to_be_visible()


def panel(name: str) -> View:
    async def view(tab: Tab, engineer: Person, program: Person) -> None:
        fix = await partial(engineer, program)
        await tab.visit(fix.session_id)
        narrow = tab.page.get_by_role("button", name="Record", exact=True)
        if await narrow.is_visible():
            await narrow.click()
        await expect(await tab.turn_to(name)).not_to_contain_text("Loading")

    return view


VIEWS: dict[str, View] = {
    "sign-in": sign_in,
    "sessions": session_list,
    "queue": queue,
    **{mode.replace("_", "-"): session_in(mode) for mode in SCENES},
    "form": form,
    "intercept": intercept,
    "shortcuts": shortcuts,
    "note": panel("Note"),
    "fixes": panel("Fixes"),
    "facts": panel("Facts"),
}


@cache
def _axe() -> str:
    return AXE.read_text()


async def found_by_axe(page: Page) -> list[dict[str, Any]]:
    """What axe has to say against this view; nothing, if it is accessible."""
    await page.evaluate(_axe())
    found = await page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        {"rule": each["id"], "help": each["help"], "where": [node["target"] for node in each["nodes"]][:5]}
        for each in found["violations"]
    ]
