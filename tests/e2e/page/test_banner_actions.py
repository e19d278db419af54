"""Every mode of the banner, reached through the API and left by each of its actions."""

import pytest
from e2e.client import Person, fix_path, own_words
from e2e.page.conftest import OpenTab
from e2e.page.scenes import SCENES, verifying
from playwright.async_api import expect

pytestmark = pytest.mark.full

WORDS = "With these words"

# From this mode, by this action, with words or without, to this mode and this status.
ACTIONS = [
    ("proposed", "Apply", False, "verifying", "proposed"),
    ("proposed", "Dismiss", False, "none", "dismissed"),
    ("verifying", "Worked", False, "none", "applied_success"),
    ("verifying", "Didn't work", False, "none", "applied_failed"),
    ("verifying", "Partly…", True, "partial", "applied_partial"),
    ("verifying", "Waiting to verify…", True, "pending", "applied_pending"),
    ("verifying", "Dismiss", False, "none", "dismissed"),
    ("nudge", "Worked", False, "none", "applied_success"),
    ("nudge", "Didn't work", False, "none", "applied_failed"),
    ("nudge", "Partly…", True, "partial", "applied_partial"),
    ("nudge", "Still checking…", True, "pending", "applied_pending"),
    ("nudge", "Dismiss", False, "none", "dismissed"),
    ("pending", "Worked", False, "none", "applied_success"),
    ("pending", "Didn't work", False, "none", "applied_failed"),
    ("pending", "Update reason…", True, "pending", "applied_pending"),
    ("pending", "Dismiss", False, "none", "dismissed"),
    ("partial", "Worked now", False, "none", "applied_success"),
    ("partial", "Didn't work", False, "none", "applied_failed"),
    ("partial", "Update notes…", True, "partial", "applied_partial"),
    ("partial", "Waiting to verify…", True, "pending", "applied_pending"),
    ("partial", "Dismiss", False, "none", "dismissed"),
    ("ai_confirming", "Confirm", False, "none", "applied_success"),
    ("ai_confirming", "Edit…", True, "none", "applied_success"),
    ("ai_confirming", "Reject", False, "verifying", "proposed"),
]


@pytest.mark.parametrize("row", ACTIONS, ids=lambda row: f"{row[0]}: {row[1]}")
async def test_each_action_leads_where_the_table_says(
    open_tab: OpenTab, engineer: Person, program: Person, row: tuple[str, str, bool, str, str]
) -> None:
    mode, action, asks, next_mode, status = row
    fix = await SCENES[mode](engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.shows(mode)
    await tab.choose(action)
    if asks:
        await tab.because(WORDS)
    await tab.says("Recorded: ")
    await tab.shows(next_mode)
    recorded = (await engineer.get(fix_path(fix))).fix
    assert recorded.status == status
    if asks:
        assert (await engineer.transitions(fix))[-1].notes == WORDS
        if next_mode in ("pending", "partial"):
            await tab.says(WORDS)


@pytest.mark.parametrize(("mode", "action"), [(row[0], row[1]) for row in ACTIONS if row[2]])
async def test_a_required_reason_is_required_before_the_button_works(
    open_tab: OpenTab, engineer: Person, program: Person, mode: str, action: str
) -> None:
    fix = await SCENES[mode](engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.choose(action)
    if mode == "ai_confirming":
        await tab.banner.get_by_label("waiting to verify").check()
    record = tab.banner.get_by_role("button", name="Record", exact=False)
    await tab.banner.get_by_role("textbox").fill("   ")
    await expect(record).to_be_disabled()
    await tab.banner.get_by_role("textbox").fill(own_words())
    await expect(record).to_be_enabled()
    await tab.banner.get_by_role("button", name="Cancel").click()
    await tab.shows(mode)


@pytest.mark.parametrize("outcome", ["Worked, with a note…", "Didn't work, because…", "Dismiss, because…"])
async def test_a_verdict_may_be_given_with_words(
    open_tab: OpenTab, engineer: Person, program: Person, outcome: str
) -> None:
    fix = await verifying(engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.banner.get_by_role("button", name="More outcomes").click()
    await tab.page.get_by_role("menuitem", name=outcome).click()
    await tab.because(WORDS)
    await tab.shows("none")
    assert (await engineer.transitions(fix))[-1].notes == WORDS


async def test_the_ai_s_proposal_shows_its_evidence_and_leads_to_the_message(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await SCENES["ai_confirming"](engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.says("(85 % sure)")
    evidence = tab.banner.get_by_role("list", name="What that rests on")
    await expect(evidence).to_contain_text("The internet is back")
    await evidence.get_by_role("link").click()
    await expect(tab.page.locator(":target")).to_contain_text("The internet is back, thanks!")


async def test_an_edited_proposal_is_recorded_as_edited(
    open_tab: OpenTab, engineer: Person, program: Person
) -> None:
    fix = await SCENES["ai_confirming"](engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.choose("Edit…")
    await expect(tab.banner.get_by_role("textbox")).to_have_value("Client: the internet is back")
    await tab.banner.get_by_label("partly applied").check()
    await tab.because("Only at reception")
    await tab.shows("partial")
    recorded = (await engineer.get(fix_path(fix))).fix
    assert (recorded.partial_notes, recorded.ai_outcome_proposal) == ("Only at reception", None)


async def test_two_clicks_record_once(open_tab: OpenTab, engineer: Person, program: Person) -> None:
    fix = await verifying(engineer, program)
    tab = await open_tab(engineer, f"/sessions/{fix.session_id}")
    await tab.banner.get_by_role("button", name="Worked", exact=True).dblclick()
    await tab.shows("none")
    await expect(tab.banner).not_to_contain_text("Not recorded")
    assert len([entry for entry in await engineer.transitions(fix) if entry.to == "applied_success"]) == 1
