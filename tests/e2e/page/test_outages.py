"""What the page says while a service is away, and how it comes back."""

import asyncio

import pytest
from devstack.stack import Stack
from e2e.client import Person
from e2e.page.conftest import Begin
from e2e.page.scenes import verifying
from playwright.async_api import expect

pytestmark = [pytest.mark.full, pytest.mark.timeout(240)]


async def test_a_change_that_is_queued_says_so_until_it_is_recorded(
    begin: Begin, engineer: Person, stack: Stack
) -> None:
    fix, tab = await begin(verifying)
    await asyncio.to_thread(stack.stop, "fix-outcomes")
    try:
        await tab.choose("Worked")
        await tab.says("Saving: worked…")
        await tab.says("“worked” will be recorded when the service is back")
        await expect(tab.banner).not_to_contain_text("Recorded:")
    finally:
        await asyncio.to_thread(stack.start, "fix-outcomes")
        await asyncio.to_thread(stack.wait_ready, "fix-outcomes")
    await tab.says("Recorded: worked")
    await tab.shows("none")
    assert [entry.to for entry in await engineer.transitions(fix)].count("applied_success") == 1


async def test_after_a_restart_of_the_gateway_nothing_is_missed_and_nothing_comes_twice(
    begin: Begin, colleague: Person, stack: Stack
) -> None:
    fix, tab = await begin(verifying)
    await colleague.say(fix.session_id, "before the break")
    await expect(tab.conversation.get_by_text("before the break")).to_have_count(1)
    box = tab.page.get_by_role("textbox", name="Message")
    await box.fill("not sent yet")
    await asyncio.to_thread(stack.stop, "gateway")
    await expect(tab.page.get_by_text("Connection lost")).to_be_visible()
    await asyncio.to_thread(stack.start, "gateway")
    await asyncio.to_thread(stack.wait_ready, "gateway")
    for words in ("first after the break", "second after the break"):
        (await colleague.say(fix.session_id, words)).good()
    (await colleague.record(fix, "applied_partial", "half of it")).good()
    await tab.live()
    await tab.shows("partial")
    for words in ("before the break", "first after the break", "second after the break"):
        await expect(tab.conversation.get_by_text(words)).to_have_count(1)
    await expect(box).to_have_value("not sent yet")
