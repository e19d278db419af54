"""Every mode of the banner, reached through the API and left by each of its actions."""

import pytest
from e2e.client import Person, fix_path
from e2e.page.conftest import Begin
from e2e.page.scenes import AI_REASON, SCENES, ai_confirming, verifying
from playwright.async_api import expect

pytestmark = pytest.mark.full

WORDS = "With these words"

# From this mode, by this action, with words that are required, optional or not asked for, to this mode and status.
ACTIONS = [
    ("proposed", "Apply", None, "verifying", "proposed"),
    ("proposed", "Dismiss", None, "none", "dismissed"),
    ("verifying", "Worked", None, "none", "applied_success"),
    ("verifying", "Didn't work", None, "none", "applied_failed"),
    ("verifying", "Partly…", "required", "partial", "applied_partial"),
    ("verifying", "Waiting to verify…", "required", "pending", "applied_pending"),
    ("verifying", "Dismiss", None, "none", "dismissed"),
    ("nudge", "Worked", None, "none", "applied_success"),
    ("nudge", "Didn't work", None, "none", "applied_failed"),
    ("nudge", "Partly…", "required", "partial", "applied_partial"),
    ("nudge", "Still checking…", "required", "pending", "applied_pending"),
    ("nudge", "Dismiss", None, "none", "dismissed"),
    ("pending", "Worked", None, "none", "applied_success"),
    ("pending", "Didn't work", None, "none", "applied_failed"),
    ("pending", "Update reason…", "required", "pending", "applied_pending"),
    ("pending", "Dismiss", None, "none", "dismissed"),
    ("partial", "Worked now", None, "none", "applied_success"),
    ("partial", "Didn't work", None, "none", "applied_failed"),
    ("partial", "Update notes…", "required", "partial", "applied_partial"),
    ("partial", "Waiting to verify…", "required", "pending", "applied_pending"),
    ("partial", "Dismiss", None, "none", "dismissed"),
    ("ai_confirming", "Confirm", None, "none", "applied_success"),
    ("ai_confirming", "Edit…", "optional", "none", "applied_success"),
    ("ai_confirming", "Reject", None, "verifying", "proposed"),
]


@pytest.mark.parametrize("row", ACTIONS, ids=lambda row: f"{row[0]}: {row[1]}")
async def test_each_action_leads_where_the_table_says(
    begin: Begin, engineer: Person, row: tuple[str, str, str | None, str, str]
) -> None:
    mode, action, words, next_mode, status = row
    fix, tab = await begin(SCENES[mode])
    await tab.shows(mode)
    await tab.choose(action)
    if words:
        await tab.because(WORDS, required=words == "required")
    await tab.says("Recorded: ")
    await tab.shows(next_mode)
    recorded = (await engineer.get(fix_path(fix))).fix
    assert recorded.status == status
    if words:
        assert (await engineer.transitions(fix))[-1].notes == WORDS
        if next_mode in ("pending", "partial"):
            await tab.says(WORDS)


@pytest.mark.parametrize("outcome", ["Worked, with a note…", "Didn't work, because…", "Dismiss, because…"])
async def test_a_verdict_may_be_given_with_words(begin: Begin, engineer: Person, outcome: str) -> None:
    fix, tab = await begin(verifying)
    await tab.banner.get_by_role("button", name="More outcomes").click()
    await tab.page.get_by_role("menuitem", name=outcome).click()
    await tab.because(WORDS, required=False)
    await tab.shows("none")
    assert (await engineer.transitions(fix))[-1].notes == WORDS


async def test_the_ai_s_proposal_shows_its_evidence_and_leads_to_the_message(begin: Begin) -> None:
    _, tab = await begin(ai_confirming)
    await tab.says("(85 % sure)")
    evidence = tab.banner.get_by_role("list", name="What that rests on")
    await expect(evidence).to_contain_text("fine all evening")
    await evidence.get_by_role("link").click()
    await expect(tab.page.locator(":target")).to_contain_text("Switched it off and on after closing.")


async def test_an_edited_proposal_is_recorded_as_edited(begin: Begin, engineer: Person) -> None:
    fix, tab = await begin(ai_confirming)
    await tab.choose("Edit…")
    await expect(tab.banner.get_by_role("textbox")).to_have_value(AI_REASON)
    await tab.banner.get_by_label("partly applied").check()
    await tab.because("Only at reception")
    await tab.shows("partial")
    recorded = (await engineer.get(fix_path(fix))).fix
    assert (recorded.partial_notes, recorded.ai_outcome_proposal) == ("Only at reception", None)


async def test_two_clicks_record_once(begin: Begin, engineer: Person) -> None:
    fix, tab = await begin(verifying)
    await tab.banner.get_by_role("button", name="Worked", exact=True).dblclick()
    await tab.shows("none")
    await expect(tab.banner).not_to_contain_text("Not recorded")
    assert len([entry for entry in await engineer.transitions(fix) if entry.to == "applied_success"]) == 1


async def test_a_reason_that_is_blank_for_the_service_alone_is_refused_in_words(begin: Begin) -> None:
    _, tab = await begin(verifying)
    await tab.choose("Partly…")
    blank_to_python_alone = "\x85"
    await tab.because(blank_to_python_alone)
    await tab.says("Not recorded: partly applied.")
    await tab.says("the reason is required")
    await tab.because("The second access point is left")
    await tab.shows("partial")
