"""The template's documents: what is claimed is what was recorded, whatever the session looks like."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from note_generator.domain.bundle import Bundle, bundle
from note_generator.domain.checks.examination import violations
from note_generator.domain.plain import inline
from note_generator.domain.template import document
from note_generator.domain.wording import HEADINGS, sections_of
from shared.contracts.vocabulary import FixStatus, NoteKind
from unit.note_generator.golden_stories import STORIES
from unit.note_generator.note_stories import Story, played, tickets

GOLDEN = Path(__file__).parent / "golden"
BOTH = list(NoteKind)
UNHURRIED = settings(deadline=None)

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60
).filter(lambda text: text.strip() != "" and "\x00" not in text)
NASTY = st.sampled_from(
    [
        "## Resolution",
        "<b>x</b>",
        "[a](https://evil.example)",
        "- item\n# head",
        "1. x",
        "> q",
        "```\ncode",
        "---",
    ]
)
TEXT = st.one_of(WORDS, NASTY, st.builds("{}\n{}".format, WORDS, NASTY))
OUTCOMES = [status.value for status in FixStatus if status is not FixStatus.PROPOSED]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Any session that the rules allow: several fixes, each of them anywhere in its life."""
    story = Story(intake=draw(TEXT), title=draw(st.none() | WORDS))
    for number in range(draw(st.integers(0, 3))):
        story.fact(f"{draw(TEXT)} fact-{number}", draw(st.sampled_from(["client", "internal"])))
    for number in range(draw(st.integers(0, 3))):
        name = f"fix-{number}"
        story.suggest(f"{draw(TEXT)} (change number {number})", draw(TEXT), name=name)
        if draw(st.booleans()):
            story.apply(name)
        for outcome in draw(st.lists(st.sampled_from(OUTCOMES), max_size=3)):
            needed = outcome in {"applied_pending", "applied_partial"}
            story.record(name, outcome, draw(TEXT) if needed else draw(st.none() | TEXT))
            if outcome not in {"applied_pending", "applied_partial"}:
                break
    for _ in range(draw(st.integers(0, 2))):
        story.say(draw(st.sampled_from(["engineer", "client", "assistant"])), draw(TEXT))
    if draw(st.booleans()):
        story.close(draw(st.sampled_from(["resolved", "escalated"])))
    return story


def bundles(story: Story) -> list[Bundle]:
    """What each of its documents is made from."""
    snapshot = story.snapshot()
    return [bundle(snapshot, kind) for kind in BOTH]


@pytest.mark.parametrize("name", STORIES)
def test_a_typical_session_reads_as_agreed(name: str) -> None:
    snapshot = STORIES[name]().snapshot()
    text = "\n".join(f"<!-- {kind} -->\n\n{document(bundle(snapshot, kind))}" for kind in BOTH)
    path = GOLDEN / f"{name}.md"
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), "look at the difference; WRITE_GOLDEN=1 accepts it"


def test_every_golden_file_has_a_story() -> None:
    assert {path.stem for path in GOLDEN.glob("*.md")} == set(STORIES)


@UNHURRIED
@given(story=stories())
def test_any_session_makes_documents_that_agree_with_the_record(story: Story) -> None:
    for made in bundles(story):
        assert violations(document(made), made) == ()


@UNHURRIED
@given(story=stories())
def test_every_heading_is_ours_and_there_is_no_markup_from_people(story: Story) -> None:
    for made in bundles(story):
        markdown = document(made)
        headings = [line for line in markdown.splitlines() if re.match(r"[\s>*+-]*#{1,6}(\s|$)", line)]
        assert tuple(headings) == HEADINGS[made.kind]
        assert "<b>" not in markdown
        assert "](" not in markdown
        assert all(sections_of(markdown).values())


@UNHURRIED
@given(story=stories())
def test_what_was_recorded_is_in_both_documents_word_for_word(story: Story) -> None:
    for made in bundles(story):
        lines, subject = document(made).splitlines(), made.subject
        for words in (subject.recorded, *subject.earlier_words) if subject else ():
            assert words is None or any(inline(words) in line for line in lines)


@UNHURRIED
@given(story=stories())
def test_internal_facts_never_reach_the_client(story: Story) -> None:
    story.fact("seen on the internal-only board", "internal")
    snapshot = story.snapshot()
    assert "internal-only board" not in document(bundle(snapshot, NoteKind.RESOLUTION_NOTE))
    assert "internal-only board" in document(bundle(snapshot, NoteKind.ESCALATION_PACKAGE))


@UNHURRIED
@given(story=stories())
def test_the_same_session_always_makes_the_same_documents(story: Story) -> None:
    assert [document(made) for made in bundles(story)] == [document(made) for made in bundles(story)]


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", tickets())
def test_the_demos_tickets_make_documents_without_their_secrets(name: str, kind: NoteKind) -> None:
    ticket = tickets()[name]
    made = bundle(played(ticket).snapshot(), kind)
    markdown = document(made)
    assert violations(markdown, made) == ()
    assert not [secret for secret in ticket.get("keep_out_of_notes", ()) if secret in markdown]
