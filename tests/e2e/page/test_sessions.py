"""The list of sessions: what is open is seen at once, and any is found."""

import pytest
from e2e.client import Person
from e2e.page.conftest import OpenTab
from e2e.page.scenes import pending, proposed
from playwright.async_api import expect

pytestmark = pytest.mark.full


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
    await expect(tab.page.get_by_text("No session is like that.")).to_be_visible()
    await expect(rows).to_have_count(0)


async def test_a_row_says_what_is_open_whose_it_is_and_since_when(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    await pending(engineer, program)
    tab = await open_tab(engineer, "/sessions")
    row = tab.page.get_by_role("main").get_by_role("listitem").first
    for words in ("awaiting verification", "active", "halopsa 0092114", "Ada", "ago"):
        await expect(row).to_contain_text(words)
    await tab.page.get_by_role("button", name="Resolved").click()
    await expect(tab.page.get_by_text("No session is like that.")).to_be_visible()
