"""Both documents beside the conversation: how true they are, how they come about, what they rest on."""

import asyncio
import json

import pytest
from devstack.stack import Stack
from e2e.client import Person, own_words
from e2e.page.conftest import Begin, OpenTab
from e2e.page.scenes import pending, verifying
from playwright.async_api import Locator, Request, Route, expect

pytestmark = [pytest.mark.full, pytest.mark.timeout(240)]


async def test_the_note_says_at_once_that_it_is_old_and_follows(begin: Begin) -> None:
    _, tab = await begin(verifying)
    note = tab.page.get_by_role("tabpanel")
    await expect(note).to_contain_text("Up to date")
    words = own_words()
    await tab.choose("Waiting to verify…")
    await tab.because(words)
    await expect(note).to_contain_text("Older than the session")
    await expect(note).to_contain_text("Up to date")
    await expect(note).to_contain_text(words)


async def test_a_change_asks_for_no_note_until_there_is_news_of_one_or_it_takes_too_long(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await verifying(engineer, program)
    tab = await open_tab(engineer)
    asked: list[str] = []

    def remember(request: Request) -> None:
        if "/preview" in request.url:
            asked.append(request.url)

    tab.page.on("request", remember)
    await tab.page.route("**/events", lambda route: route.abort())
    await tab.page.goto(f"/sessions/{fix.session_id}")
    note = tab.page.get_by_role("tabpanel")
    await expect(note).to_contain_text("Up to date")
    await tab.choose("Didn't work")
    await tab.says("Recorded: didn't work")
    await expect(note).to_contain_text("Older than the session")
    assert len(asked) == 1
    await expect(note).to_contain_text("Up to date")
    assert len(asked) == 2


async def test_a_document_that_is_being_written_shows_how_long_it_takes(
    open_tab: OpenTab, engineer: Person, stack: Stack
) -> None:
    await asyncio.to_thread(stack.stop, "note-generator")
    try:
        session_id = await engineer.open_session()
        tab = await open_tab(engineer, f"/sessions/{session_id}")
        note = tab.page.get_by_role("tabpanel")
        await expect(note).to_contain_text("Being written… 2 s")
    finally:
        await asyncio.to_thread(stack.start, "note-generator")
        await asyncio.to_thread(stack.wait_ready, "note-generator")
    await expect(note.get_by_role("heading", name="Problem")).to_be_visible()
    await expect(note).not_to_contain_text("Being written")


async def test_a_note_is_copied_as_markdown_and_as_rich_text(begin: Begin) -> None:
    _, tab = await begin(pending, permissions=["clipboard-read", "clipboard-write"])
    note = tab.page.get_by_role("tabpanel")
    await expect(note.get_by_role("heading", name="Problem")).to_be_visible()
    await note.get_by_role("button", name="Copy markdown").click()
    await expect(note).to_contain_text("Copied as markdown")
    assert "## Problem" in await tab.page.evaluate("navigator.clipboard.readText()")
    await note.get_by_role("button", name="Copy rich text").click()
    await expect(note).to_contain_text("Copied as rich text")
    read = "navigator.clipboard.read().then(([item]) => item.getType('text/html')).then(blob => blob.text())"
    assert ">Problem</h2>" in await tab.page.evaluate(read)


@pytest.fixture
async def cited(open_tab: OpenTab, engineer: Person, program: Person) -> Locator:
    """A note with one citation, on the page."""
    fix = await pending(engineer, program)
    tab = await open_tab(engineer)
    note = (await engineer.preview(fix.session_id)).good()
    evidence = [{"kind": "fact", "id": str(fix.id), "quote": "The router restarts"}]
    citations = [{"sentence": "The router restarts on its own", "evidence": evidence}]

    async def with_a_citation(route: Route) -> None:
        document = json.dumps(note | {"citations": citations})
        stream = f"event: document\ndata: {document}\n\n"
        await route.fulfill(content_type="text/event-stream", body=stream)

    await tab.page.route("**/preview?*", with_a_citation)
    await tab.visit(fix.session_id)
    return tab.page.get_by_role("tabpanel")


async def test_a_sentence_shows_what_it_rests_on_when_it_gets_the_focus(cited: Locator) -> None:
    await expect(cited.get_by_role("tooltip")).to_have_count(0)
    await cited.get_by_role("button", name="Source 1").first.focus()
    await expect(cited.get_by_role("tooltip")).to_contain_text("The router restarts")
    await cited.page.keyboard.press("Escape")
    await expect(cited.get_by_role("tooltip")).to_have_count(0)


async def test_a_sentence_shows_what_it_rests_on_under_the_pointer(cited: Locator) -> None:
    await cited.get_by_role("button", name="Source 1").first.hover()
    await expect(cited.get_by_role("tooltip")).to_contain_text("The router restarts")
    await cited.get_by_role("heading", name="Problem").hover()
    await expect(cited.get_by_role("tooltip")).to_have_count(0)
