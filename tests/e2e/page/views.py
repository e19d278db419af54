"""Every view of the page, for the tests that look at all of them: accessibility, width, pictures."""

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from devstack.services import PAGE
from e2e.client import Person
from e2e.page.scenes import SCENES, nudge, partial, pending, verifying
from e2e.page.tab import Tab
from playwright.async_api import Page, expect

AXE = PAGE.parent / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

View = Callable[[Tab, Person, Person], Awaitable[None]]


async def sign_in(tab: Tab, _: Person, __: Person) -> None:
    await tab.page.get_by_role("button", name="Sign out").click()
    await tab.page.get_by_label("Your token").fill("nonsense")
    await tab.page.get_by_role("button", name="Sign in").click()
    await expect(tab.page.get_by_role("alert")).to_be_visible()


async def sign_in_again(tab: Tab, engineer: Person, program: Person) -> None:
    await session_in("verifying")(tab, engineer, program)
    refused = {"code": "unauthenticated", "title": "No longer valid", "status": 401}
    await tab.page.route("**/outcome", lambda route: route.fulfill(status=401, json=refused))
    await tab.choose("Worked")
    await expect(tab.page.get_by_role("dialog", name="Sign in again")).to_be_visible()


async def session_list(tab: Tab, engineer: Person, program: Person) -> None:
    await pending(engineer, program)
    await partial(engineer, program)
    await engineer.open_session(
        "Outlook asks for the password again and again", title="Outlook, Marchetti Legal"
    )
    done = await verifying(engineer, program)
    await engineer.record(done, "applied_success")
    await engineer.resolve(done.session_id)
    await tab.page.goto("/sessions")
    badges = tab.page.get_by_role("main").get_by_text("awaiting verification")
    await expect(badges).to_have_count(2)


async def new_session(tab: Tab, _: Person, __: Person) -> None:
    await tab.page.get_by_role("button", name="New session").click()
    await expect(tab.page.get_by_text("No sessions yet.")).to_be_visible()


async def no_such_session(tab: Tab, engineer: Person, _: Person) -> None:
    await tab.page.goto("/sessions/00000000-0000-4000-8000-000000000000")
    await expect(tab.page.get_by_role("alert")).to_be_visible()


async def queue(tab: Tab, engineer: Person, program: Person) -> None:
    await pending(engineer, program)
    await partial(engineer, program)
    await tab.page.goto("/awaiting")
    await expect(tab.page.get_by_role("button", name="Worked").first).to_be_visible()


async def queue_at_work(tab: Tab, engineer: Person, program: Person) -> None:
    await queue(tab, engineer, program)
    rows = tab.page.get_by_role("main").get_by_role("listitem")
    await rows.nth(0).get_by_role("button", name="Worked", exact=True).click()
    await rows.nth(1).get_by_role("button", name="Update notes…").click()
    await expect(rows.nth(0)).to_contain_text("Recorded: worked")


async def empty_queue(tab: Tab, _: Person, __: Person) -> None:
    await tab.page.goto("/awaiting")
    await expect(tab.page.get_by_text("Nothing awaits verification.")).to_be_visible()


def session_in(mode: str) -> View:
    async def view(tab: Tab, engineer: Person, program: Person) -> None:
        fix = await SCENES[mode](engineer, program)
        await tab.visit(fix.session_id)
        await tab.shows(mode)

    return view


async def form(tab: Tab, engineer: Person, program: Person) -> None:
    await session_in("verifying")(tab, engineer, program)
    await tab.choose("Partly…")


async def letters(tab: Tab, engineer: Person, program: Person) -> None:
    await session_in("partial")(tab, engineer, program)
    await tab.page.keyboard.press("v")


async def more(tab: Tab, engineer: Person, program: Person) -> None:
    await session_in("nudge")(tab, engineer, program)
    await tab.banner.get_by_role("button", name="More outcomes").click()
    await expect(tab.page.get_by_role("menu")).to_be_visible()


async def refused(tab: Tab, engineer: Person, program: Person) -> None:
    await session_in("pending")(tab, engineer, program)
    body = {"code": "outcome_final", "title": "Decided", "status": 409, "detail": "It is decided already."}
    await tab.page.route("**/outcome", lambda route: route.fulfill(status=409, json=body))
    await tab.choose("Worked")
    await tab.says("Not recorded: worked.")


async def intercept(tab: Tab, engineer: Person, program: Person) -> None:
    fix = await nudge(engineer, program)
    await tab.visit(fix.session_id)
    await tab.page.get_by_role("button", name="Escalate…").click()
    await tab.page.get_by_role("dialog").get_by_label("Goes along, waiting to verify…").check()


async def shortcuts(tab: Tab, _: Person, __: Person) -> None:
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
        if name == "Fixes":
            await tab.page.get_by_text("Suggest a fix…").click()

    return view


VIEWS: dict[str, View] = {
    "sign-in": sign_in,
    "sign-in-again": sign_in_again,
    "sessions": session_list,
    "new-session": new_session,
    "no-such-session": no_such_session,
    "queue": queue,
    "queue-at-work": queue_at_work,
    "empty-queue": empty_queue,
    **{mode.replace("_", "-"): session_in(mode) for mode in SCENES},
    "form": form,
    "letters": letters,
    "more": more,
    "refused": refused,
    "intercept": intercept,
    "shortcuts": shortcuts,
    "note": panel("Note"),
    "escalation": panel("Escalation"),
    "fixes": panel("Fixes"),
    "facts": panel("Facts"),
}


@cache
def _axe() -> str:
    return AXE.read_text()


async def prepare_axe(page: Page) -> None:
    """Have it in the page, once for each document."""
    await page.evaluate(_axe())


async def found_by_axe(page: Page) -> list[dict[str, Any]]:
    """What axe has to say against this view; nothing, if it is accessible."""
    found = await page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    return [
        {"rule": each["id"], "help": each["help"], "where": [node["target"] for node in each["nodes"]][:5]}
        for each in found["violations"]
    ]
