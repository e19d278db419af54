"""What a document is written from: the right fix, the right facts, no guess, and never too much."""

from dataclasses import fields

import pytest
from note_generator.domain.brief import brief
from note_generator.domain.bundle import Bundle, Standing, bundle
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.golden_stories import STORIES
from unit.note_generator.note_stories import Story

NOTE, PACKAGE = NoteKind.RESOLUTION_NOTE, NoteKind.ESCALATION_PACKAGE


def of(story: Story, kind: NoteKind = PACKAGE) -> Bundle:
    return bundle(story.snapshot(), kind)


def subject(story: Story) -> str | None:
    made = of(story)
    return made.subject.title if made.subject else None


def test_without_a_fix_there_is_no_subject() -> None:
    assert subject(Story()) is None


def test_the_newest_open_fix_wins_over_every_verdict_and_every_suggestion() -> None:
    story = Story().suggest("a").record("a", "applied_pending", "waiting for a")
    story.suggest("b").record("b", "applied_partial", "half of b").suggest("c").record("c", "applied_success")
    story.suggest("d")
    assert subject(story) == "b"


def test_an_applied_fix_without_a_verdict_is_open() -> None:
    story = Story().suggest("a").record("a", "applied_failed").suggest("b").apply("b")
    assert subject(story) == "b"
    assert of(story).standing is Standing.UNJUDGED


def test_else_the_latest_verdict_counts_not_the_newest_fix() -> None:
    story = Story().suggest("a").record("a", "applied_pending", "waiting")
    story.suggest("b").record("b", "applied_failed").record("a", "applied_success").suggest("c")
    assert subject(story) == "a"


def test_the_latest_verdict_is_found_when_the_history_was_cut() -> None:
    story = Story().suggest("a").record("a", "applied_failed").suggest("b").record("b", "dismissed")
    story.transitions = story.transitions[1:]
    assert subject(story) == "b"
    story.transitions = []
    assert subject(story) == "b"


def test_else_the_active_suggestion() -> None:
    assert subject(Story().suggest("a").suggest("b")) == "b"


def test_all_others_are_in_the_ledger_in_order() -> None:
    story = (
        Story()
        .suggest("a")
        .record("a", "applied_failed", "no")
        .suggest("b")
        .suggest("c")
        .apply("c")
        .suggest("d")
    )
    assert subject(story) == "a"
    assert [(each.title, each.standing) for each in of(story).attempts] == [
        ("b", Standing.SUPERSEDED),
        ("c", Standing.UNJUDGED_SUPERSEDED),
        ("d", Standing.PROPOSED),
    ]


def test_the_words_of_each_outcome_are_found_where_they_are_kept() -> None:
    story = Story().suggest("a").record("a", "applied_pending", "p").record("a", "applied_success", "s")
    fix = of(story).subject
    assert fix is not None
    assert (fix.recorded, fix.earlier_words, fix.pending_reason) == ("s", ("p",), "p")


def test_the_title_and_internal_facts_are_for_colleagues() -> None:
    story = Story(title="Shorthand").fact("known to all").fact("known to us", "internal")
    note, package = of(story, NOTE), of(story, PACKAGE)
    assert (note.title, [fact.text for fact in note.facts]) == (None, ["known to all"])
    assert (package.title, [fact.text for fact in package.facts]) == (
        "Shorthand",
        ["known to all", "known to us"],
    )


def test_no_guess_of_the_ai_is_in_it() -> None:
    assert not [field.name for field in fields(Bundle) if "proposal" in field.name]


def talk(messages: int) -> Story:
    story = Story()
    for number in range(messages):
        story.say("engineer", f"{number}: " + "what was looked at, and what was seen there; " * 6)
    return story


def test_what_a_model_reads_stays_flat_as_a_session_grows() -> None:
    sizes = {count: len(brief(of(talk(count)))) for count in (100, 300, 1_000)}
    assert max(sizes.values()) < 1.2 * min(sizes.values())


def test_the_newest_messages_are_whole_and_the_rest_is_counted() -> None:
    said = of(talk(300)).conversation
    assert said.utterances[-1].text.startswith("299: ")
    assert not said.utterances[-1].condensed
    assert said.utterances[0].condensed
    assert said.left_out + len(said.utterances) == 300
    whole = [each.condensed for each in said.utterances]
    assert whole == sorted(whole, reverse=True)


def test_a_pasted_log_keeps_its_ends_and_loses_its_secret() -> None:
    log = "start of the log\n" + "x" * 60_000 + "\npassword: Tabby-Cat-7741\nend of the log"
    text = of(Story().say("engineer", log)).conversation.utterances[0].text
    assert text.startswith("start of the log")
    assert text.endswith("password: [password removed]\nend of the log")
    assert len(text) < 4_000


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("kind", list(NoteKind))
def test_every_line_of_people_is_marked_as_theirs(name: str, kind: NoteKind) -> None:
    story = STORIES[name]()
    for line in brief(bundle(story.snapshot(), kind)).splitlines():
        assert line.startswith("| ") or not any(
            word in line for word in ("Dana", "Ignore", "Resolution", "4.2.4")
        )
