"""The queue, the notes, the end of a session: what stands around the banner."""

import pytest
from e2e.client import Person, own_words
from e2e.page.conftest import OpenTab
from e2e.page.scenes import NOTES, REASON, partial, pending, proposed, verifying
from playwright.async_api import expect

pytestmark = pytest.mark.full


async def test_the_queue_shows_what_waits_and_takes_the_verdict(
    open_tab: OpenTab, engineer: Person, colleague: Person, program: Person
) -> None:
    first = await pending(engineer, program)
    second = await partial(colleague, program)
    tab = await open_tab(engineer, "/awaiting")
    rows = tab.page.get_by_role("main").get_by_role("listitem")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0)).to_contain_text(REASON)
    await expect(rows.nth(0)).to_contain_text("by Ada")
    await expect(rows.nth(1)).to_contain_text(NOTES)

    await tab.page.get_by_role("button", name="Parked by me").click()
    await expect(rows).to_have_count(1)
    await rows.first.get_by_role("button", name="Update reason…").click()
    words = own_words()
    await rows.first.get_by_role("textbox").fill(words)
    await rows.first.get_by_role("button", name="Record", exact=False).click()
    await expect(rows.first).to_contain_text(words)
    await rows.first.get_by_role("button", name="Worked", exact=True).click()
    await expect(tab.page.get_by_text("Nothing awaits verification.")).to_be_visible()
    await tab.page.get_by_role("button", name="All", exact=True).click()
    await rows.first.get_by_role("link").click()
    await tab.shows("partial")
    assert (await engineer.fix(first)).status == "applied_success"
    assert tab.page.url.endswith(str(second.session_id))


async def test_a_parked_fix_behind_a_newer_suggestion_stays_answerable(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    parked = await pending(engineer, program)
    await engineer.suggest(parked.session_id, title="Replace the router")
    tab = await open_tab(engineer, f"/sessions/{parked.session_id}")
    await tab.shows("proposed")
    fixes = await tab.turn_to("Fixes")
    await fixes.get_by_role("button", name="Worked", exact=True).click()
    await expect(fixes).to_contain_text("Recorded: worked")
    assert (await engineer.fix(parked)).status == "applied_success"


async def test_the_note_says_at_once_that_it_is_old_and_follows(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await verifying(engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    note = tab.page.get_by_role("tabpanel")
    await expect(note).to_contain_text("Up to date")
    words = own_words()
    await tab.choose("Waiting to verify…")
    await tab.because(words)
    await expect(note).to_contain_text("Older than the session")
    await expect(note).to_contain_text("Up to date")
    await expect(note).to_contain_text(words)


async def test_a_note_is_copied_as_markdown_and_as_rich_text(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await pending(engineer, program)
    tab = await open_tab(
        engineer, f"/sessions/{fix.session_id}", permissions=["clipboard-read", "clipboard-write"]
    )
    note = tab.page.get_by_role("tabpanel")
    await expect(note.get_by_role("heading", name="Problem")).to_be_visible()
    await note.get_by_role("button", name="Copy markdown").click()
    await expect(note).to_contain_text("Copied as markdown")
    assert "## Problem" in await tab.page.evaluate("navigator.clipboard.readText()")
    await note.get_by_role("button", name="Copy rich text").click()
    await expect(note).to_contain_text("Copied as rich text")
    read = "navigator.clipboard.read().then(([item]) => item.getType('text/html')).then(blob => blob.text())"
    assert ">Problem</h2>" in await tab.page.evaluate(read)


async def test_a_sentence_shows_what_it_rests_on_when_it_gets_the_focus(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await pending(engineer, program)
    tab = await open_tab(engineer)
    note = (await engineer.preview(fix.session_id)).good()
    evidence = [{"kind": "fact", "id": str(fix.id), "quote": "The router reboots"}]
    cited = [{"sentence": "The router reboots on its own", "evidence": evidence}]
    await tab.page.route("**/preview", lambda route: route.fulfill(json=note | {"citations": cited}))
    await tab.visit(fix.session_id)
    panel = tab.page.get_by_role("tabpanel")
    await expect(panel.get_by_role("tooltip")).to_have_count(0)
    await panel.get_by_role("button", name="Source 1").first.focus()
    await expect(panel.get_by_role("tooltip")).to_contain_text("The router reboots")


async def test_resolving_asks_what_came_of_each_open_fix(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await pending(engineer, program)
    other = (await engineer.apply(await engineer.suggest(fix.session_id, title="Replace the router"))).fix
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.live()
    await tab.page.get_by_role("button", name="Resolve…").click()
    dialog = tab.page.get_by_role("dialog", name="Resolve this session")
    resolve = dialog.get_by_role("button", name="Resolve", exact=True)
    await expect(resolve).to_be_disabled()
    await dialog.get_by_role("group", name="Update the firmware").get_by_label("Worked").check()
    await expect(resolve).to_be_disabled()
    await dialog.get_by_role("group", name="Replace the router").get_by_label("Didn't work").check()
    await resolve.click()
    await expect(tab.page.get_by_text("This session is resolved.")).to_be_visible()
    assert (await engineer.fix(fix)).status == "applied_success"
    assert (await engineer.fix(other)).status == "applied_failed"


async def test_a_parked_fix_goes_along_with_an_escalation_and_stays_answerable(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await pending(engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.live()
    await tab.page.get_by_role("button", name="Escalate…").click()
    dialog = tab.page.get_by_role("dialog", name="Escalate this session")
    await dialog.get_by_label("Goes along: verification pending").check()
    await dialog.get_by_role("button", name="Escalate", exact=True).click()
    await expect(tab.page.get_by_text("This session is escalated.")).to_be_visible()
    await tab.shows("pending")
    await tab.choose("Worked")
    await tab.shows("none")
    assert (await engineer.session(fix.session_id)).status == "escalated"


async def test_a_session_is_found_by_its_title_its_report_and_its_ticket(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    await engineer.open_session("The fax is dead", title="Bakery", ticket={"system": "halopsa", "id": "4711"})
    await proposed(engineer, program)
    tab = await open_tab(engineer, "/sessions")
    rows = tab.page.get_by_role("main").get_by_role("listitem")
    await expect(rows).to_have_count(2)
    for words in ("bakery", "FAX", "4711"):
        await tab.page.get_by_label("Search sessions").fill(words)
        await expect(rows).to_have_count(1)
        await expect(rows).to_contain_text("Bakery")
    await tab.page.get_by_label("Search sessions").fill("100%_nothing")
    await expect(rows).to_have_count(0)
