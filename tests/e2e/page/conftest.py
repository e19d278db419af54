"""The built page in a real browser, in front of the stack whose services may be stopped and restarted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from devstack.browser import find_browser
from devstack.services import PAGE
from devstack.stack import Stack
from e2e.client import Person
from e2e.page.scenes import Scene
from e2e.page.tab import Tab
from playwright.async_api import Browser, async_playwright, expect
from shared.contracts.views import Fix

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 20_000

OpenTab = Callable[..., Awaitable[Tab]]
Begin = Callable[..., Awaitable[tuple[Fix, Tab]]]


@pytest.fixture(scope="session")
def chromium() -> Path:
    found = find_browser()
    if found is None:
        pytest.skip("there is no Chromium (`make servers` installs it where it may)")
    if not (PAGE / "index.html").exists():
        pytest.skip("the page is not built (`make page`)")
    return found


@pytest.fixture(scope="session")
def stack(demo_stack: Stack) -> Stack:
    return demo_stack


@pytest.fixture(scope="session")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def open_tab(browser: Browser, stack: Stack) -> AsyncIterator[OpenTab]:
    """Opens tabs; whoever is given is signed in there. At the end no script and no policy has complained."""
    tabs: list[Tab] = []
    async with AsyncExitStack() as contexts:

        async def open_(person: Person | None = None, path: str = "/", **options: Any) -> Tab:
            context = await browser.new_context(base_url=stack.url(), **options)
            contexts.push_async_callback(context.close)
            tab = await Tab.open(context, token=person.token if person else None, path=path)
            tabs.append(tab)
            return tab

        yield open_
        for tab in tabs:
            assert tab.complaints == []


@pytest.fixture
def begin(open_tab: OpenTab, engineer: Person, program: Person) -> Begin:
    """A session brought into a scene, and the engineer's tab on it."""

    async def begin(scene: Scene, **options: Any) -> tuple[Fix, Tab]:
        fix = await scene(engineer, program)
        tab = await open_tab(engineer, f"/sessions/{fix.session_id}", **options)
        await tab.live()
        return fix, tab

    return begin
