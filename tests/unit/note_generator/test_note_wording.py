"""A document that contradicts the record is refused, whoever wrote it; an honest one is not."""

import pytest
from note_generator.domain.bundle import Bundle, bundle
from note_generator.domain.checks.examination import violations
from note_generator.domain.template import document
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.golden_stories import REASON, STORIES

NOTE, PACKAGE = NoteKind.RESOLUTION_NOTE, NoteKind.ESCALATION_PACKAGE


def of(story: str, kind: NoteKind = NOTE) -> Bundle:
    return bundle(STORIES[story]().snapshot(), kind)


def note(resolution: str, root_cause: str = "Not established yet.") -> str:
    return (
        "## Problem\n\nThe internet drops.\n\n## What we confirmed\n\n- The log shows timeouts.\n\n"
        f"## Root cause\n\n{root_cause}\n\n## Resolution\n\n{resolution}\n"
    )


PENDING = f"The firmware was staged; it is applied and awaiting verification: {REASON}"


@pytest.mark.parametrize(
    ("story", "resolution"),
    [
        ("pending", PENDING),
        ("pending", f"{PENDING} Once verified, the case can be closed."),
        ("pending", f"{PENDING}\n\nThe issue has not been resolved."),
        (
            "failed_with_an_untried_idea",
            "The update did not work: Dropped again at 18:05 and 18:26 on 4.2.4. The search continues.",
        ),
        (
            "pending_then_success_and_resolved",
            "Resolved: On 4.2.4 since 17:32, three lease renewals without a drop.",
        ),
        ("dismissed", "Not applied. Too risky during opening hours: the unit has bricked before."),
        ("proposed", "An update was suggested; it has not been applied."),
        ("applied_without_a_verdict", "The update was applied; no result has been recorded."),
        ("no_fix_yet", "No change was made."),
    ],
)
def test_honest_words_pass(story: str, resolution: str) -> None:
    assert violations(note(resolution), of(story)) == ()


@pytest.mark.parametrize(
    ("story", "resolution", "reason"),
    [
        ("pending", f"{PENDING} The issue is resolved.", "claims a closure"),
        ("pending", f"{PENDING} Everything works again.", "claims a closure"),
        ("pending", f"{PENDING} No further action is required.", "claims a closure"),
        ("pending", f"{PENDING} Das Problem ist behoben.", "claims a closure"),
        ("pending", f"The firmware was staged. {REASON}", "does not say the outcome"),
        ("pending", "It is applied and awaiting verification.", "recorded words missing"),
        ("pending", PENDING.replace("17:00", "18:00"), "recorded words missing"),
        (
            "partial",
            "MSS clamp is live, RDP ok for 4 of 5. Greg needs client 7.x, laptop back on Monday. Fixed.",
            "",
        ),
        ("failed_with_an_untried_idea", "Dropped again at 18:05 and 18:26 on 4.2.4. Now fixed.", ""),
        ("dismissed", "Too risky during opening hours: the unit has bricked before. It was applied.", ""),
        ("proposed", "The update was suggested. It was installed.", "claims an application"),
        ("no_fix_yet", "The update was deployed.", "claims an application"),
    ],
)
def test_a_contradiction_is_refused(story: str, resolution: str, reason: str) -> None:
    found = violations(note(resolution), of(story))
    assert found
    assert any(str(each).startswith(reason) for each in found)


@pytest.mark.parametrize(
    "markdown",
    [
        "",
        "Sure! Here is the note:\n\n" + note(PENDING),
        note(PENDING).replace("## Root cause", "## Cause"),
        note(PENDING).replace("## Root cause\n\nNot established yet.\n\n", ""),
        note(PENDING) + "\n## Next\n\nMore.\n",
        note(PENDING) + "\n### Details\n\nMore.\n",
        note(PENDING) + "\nDetails\n-------\n",
        note(PENDING).replace("Not established yet.", ""),
        note(PENDING + " <b>Really.</b>"),
        note(PENDING + " [Read more](https://example.com)"),
        note(PENDING + " [Read more][1]\n\n[1]: https://example.com"),
        f"```markdown\n{note(PENDING)}```",
        note(PENDING + "x" * 70_000),
    ],
)
def test_another_shape_is_refused(markdown: str) -> None:
    assert violations(markdown, of("pending"))


def test_the_package_is_judged_by_its_hypothesis() -> None:
    made = of("pending", PACKAGE)
    honest = document(made)
    lie = honest.replace(
        "Until it has been verified, treat it as likely, not as known.", "The problem is solved."
    )
    assert violations(honest, made) == ()
    [found] = violations(lie, made)
    assert (str(found), found.sentence) == ("claims a closure: applied_pending", "The problem is solved.")


def test_a_fix_with_a_telling_name_excuses_no_claim() -> None:
    story = STORIES["proposed"]()
    story.suggest("Resolved").record("Resolved", "applied_pending", "resolved")
    made = bundle(story.snapshot(), NOTE)
    found = violations(note("Applied, awaiting verification: resolved\n\nThe problem is resolved."), made)
    assert "The problem is resolved." in {each.sentence for each in found}
