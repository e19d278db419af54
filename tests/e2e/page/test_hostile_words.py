"""What people, clients and models write is shown as text, and does nothing."""

import pytest
from devstack.stack import Stack
from e2e.client import Person
from e2e.page.conftest import OpenTab
from playwright.async_api import Error, Page, expect

SCRIPT = "<script>window.harmed = 1</script>"
IMAGE = '<img src="/nothing" onerror="window.harmed = 2">'
LINK = "[click me](javascript:window.harmed=3) [and me](data:text/html,<script>window.harmed=4</script>)"
PICTURE = "![beacon](http://tracker.example/pixel.png)"
ALL = f"{SCRIPT} {IMAGE} {LINK} {PICTURE} <svg onload=window.harmed=5> <a href='javascript:window.harmed=6'>x</a>"


async def test_hostile_words_do_nothing_wherever_they_are_shown(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    session_id = await engineer.open_session(f"Ticket: {ALL}", title=f"Title {SCRIPT}")
    await engineer.say(session_id, f"Client: {ALL}", role="client")
    await engineer.confirm(session_id, f"Fact: {ALL}")
    fix = await engineer.suggest(session_id, title=f"Fix {IMAGE}", description=ALL)
    await engineer.record(fix, "applied_pending", f"Reason: {ALL}")
    await program.propose(fix, reason=f"Because {ALL}")

    tab = await open_tab(engineer)
    asked_for: list[str] = []
    tab.page.on("request", lambda request: asked_for.append(request.url))
    await tab.visit(session_id)
    await tab.shows("ai_confirming")
    await expect(tab.conversation).to_contain_text(SCRIPT)
    for name in ("Note", "Escalation", "Fixes", "Facts"):
        panel = await tab.turn_to(name)
        await expect(panel).to_contain_text("onerror")
        for link in await panel.get_by_text("click me").all():
            await link.click()
        await _nothing_happened(tab.page, asked_for)
    await tab.page.goto("/awaiting")
    await expect(tab.page.get_by_text("Reason: ")).to_contain_text(SCRIPT)
    await tab.page.goto("/sessions")
    await expect(tab.page.get_by_role("listitem").first).to_contain_text(SCRIPT)
    await _nothing_happened(tab.page, asked_for)


async def _nothing_happened(page: Page, asked_for: list[str]) -> None:
    assert await page.evaluate("window.harmed ?? null") is None
    assert await page.locator("main script, main img, main svg, aside img").count() == 0
    dangerous = "a[href^='javascript:' i], a[href^='data:' i], [onerror], [onload]"
    assert await page.locator(dangerous).count() == 0
    assert not [url for url in asked_for if "tracker.example" in url or url.endswith("/nothing")]


async def test_the_policy_forbids_what_the_page_would_never_do(open_tab: OpenTab, engineer: Person) -> None:
    tab = await open_tab(engineer, "/sessions")
    with pytest.raises(Error, match="TrustedScriptURL"):
        await tab.page.evaluate(
            "document.createElement('script').src = 'data:text/javascript,window.harmed=1'"
        )
    with pytest.raises(Error, match="TrustedHTML"):
        await tab.page.evaluate("document.body.innerHTML = '<b>harm</b>'")
    assert await tab.page.evaluate("window.harmed ?? null") is None
    assert len(tab.complaints) == 2, "what was forbidden is told to the console, and nothing else"
    tab.complaints.clear()


async def test_a_token_is_in_no_address_and_in_no_storage_that_stays(
    open_tab: OpenTab, engineer: Person, stack: Stack
) -> None:
    tab = await open_tab()
    asked_for: list[str] = []
    tab.page.on("request", lambda request: asked_for.append(request.url))
    await tab.page.get_by_label("Your token").fill(engineer.token)
    await tab.page.get_by_role("button", name="Sign in").click()
    await expect(tab.page.get_by_role("heading", name="Sessions")).to_be_visible()
    assert not [url for url in asked_for if engineer.token in url]
    kept = await tab.page.evaluate("JSON.stringify(localStorage) + document.cookie")
    assert engineer.token not in kept
    assert stack.jwt_secret not in kept
