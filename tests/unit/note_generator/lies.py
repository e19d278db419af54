"""Generated sessions that are full of names and numbers, and the ways in which a note about them can lie."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from note_generator.domain.bundle import Bundle
from note_generator.domain.checks.violation import Check
from note_generator.domain.wording import HEADINGS, HYPOTHESIS, RESOLUTION, ROOT_CAUSE
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.note_stories import Story

HOSTS = ("dc01", "SRV-FILE-02", "fw01.brightwell.example", "sw-core-1", "mail.contoso.example")
ADDRESSES = ("10.20.0.7", "192.168.4.11", "172.16.9.254", "10.0.0.0/24")
VERSIONS = ("4.2.4", "v7.1", "22H2", "16.0.1")
ARTICLES = ("KB5034441", "KB5031234", "KB4023057")
PEOPLE = ("dana@brightwell.example", "j.doe", r"CORP\msmith", "Greg")
TIMES = ("17:00", "2026-11-05 08:15", "5 pm", "November 4")
FINDINGS = (
    "{host} at {address} answers, the log shows error 0x80070005",
    "{person} saw it at {time} on {host}",
    "{article} is missing on {host}",
    "{host} runs {version}",
    "the lease on {address} was cut by the provider at {time}",
)
REASONS = (
    "waiting for {person} to power-cycle {host} after {time}",
    "AD replication to {host} ends at {time}",
    "two of three sites are on {version}, {host} is left",
    "{host} dropped again at {time} on {version}",
)
TITLES = (
    "Update {host} to {version} as agreed",
    "Install {article} on {host} again",
    "Restart the service on {host}",
)
OUTCOMES = ("applied_success", "applied_failed", "applied_partial", "applied_pending", "dismissed")


NAMES: Final = {
    "host": st.sampled_from(HOSTS),
    "address": st.sampled_from(ADDRESSES),
    "version": st.sampled_from(VERSIONS),
    "article": st.sampled_from(ARTICLES),
    "person": st.sampled_from(PEOPLE),
    "time": st.sampled_from(TIMES),
}


def _filled(pattern: str) -> st.SearchStrategy[str]:
    names = {name: chosen for name, chosen in NAMES.items() if f"{{{name}}}" in pattern}
    return st.fixed_dictionaries(names).map(lambda filling: pattern.format(**filling))


# Made once: making a strategy takes longer than drawing from it.
FINDING: Final = st.one_of(*map(_filled, FINDINGS))
REASON: Final = st.one_of(*map(_filled, REASONS))
TITLE: Final = st.one_of(*map(_filled, TITLES))
PERHAPS: Final = st.none() | FINDING
FACTS: Final = st.lists(st.tuples(FINDING, st.sampled_from(["client", "internal"])), max_size=3)
TALK: Final = st.lists(st.tuples(st.sampled_from(["engineer", "client", "assistant"]), FINDING), max_size=3)
FAILURE: Final = st.none() | st.tuples(TITLE, FINDING, REASON)
OUTCOME: Final = st.sampled_from(OUTCOMES)


@st.composite
def cases(draw: st.DrawFn, outcomes: st.SearchStrategy[str] = OUTCOME) -> Story:
    """A session with facts, talk and fixes; the last fix has one of these outcomes."""
    story = Story(intake=draw(FINDING), title=draw(PERHAPS))
    for text, visibility in draw(FACTS):
        story.fact(text, visibility)
    for role, text in draw(TALK):
        story.say(role, text)
    if failure := draw(FAILURE):
        title, description, reason = failure
        story.suggest(title, description, name="earlier")
        story.record("earlier", "applied_failed", reason)
    story.suggest(draw(TITLE), draw(FINDING), name="last")
    story.record("last", draw(outcomes), draw(REASON))
    return story


GENERATED: Final = 50


@cache
def sessions(outcomes: tuple[str, ...]) -> tuple[Story, ...]:
    """So many cases with one of these outcomes, the same in every run, made once for all tests."""
    found: list[Story] = []

    @settings(max_examples=GENERATED, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(cases(st.sampled_from(outcomes)))
    def collect(story: Story) -> None:
        found.append(story)

    collect()
    return tuple(found)


@dataclass(frozen=True)
class Lie:
    """What is done to an honest document, which check must say so, and of which outcomes it is one."""

    name: str
    check: Check
    tell: Callable[[str, Bundle], str]
    outcomes: tuple[str, ...] = OUTCOMES


def _deciding(bundle: Bundle) -> str:
    return RESOLUTION if bundle.kind is NoteKind.RESOLUTION_NOTE else HYPOTHESIS


def added(sentence: str, heading: str | None = None) -> Callable[[str, Bundle], str]:
    """A line more, below a heading: by default the one that decides."""

    def tell(markdown: str, bundle: Bundle) -> str:
        place = heading or _deciding(bundle)
        return markdown.replace(f"{place}\n\n", f"{place}\n\n{sentence}\n\n")

    return tell


def _problem(sentence: str) -> Callable[[str, Bundle], str]:
    return added(sentence, "## Problem")


def _confirmed(sentence: str) -> Callable[[str, Bundle], str]:
    return lambda markdown, bundle: added(sentence, HEADINGS[bundle.kind][1])(markdown, bundle)


def _root_cause(sentence: str) -> Callable[[str, Bundle], str]:
    def tell(markdown: str, bundle: Bundle) -> str:
        return added(sentence, ROOT_CAUSE if ROOT_CAUSE in markdown else HYPOTHESIS)(markdown, bundle)

    return tell


def _without_recorded_words(markdown: str, bundle: Bundle) -> str:
    assert bundle.subject
    assert bundle.subject.recorded
    return markdown.replace(bundle.subject.recorded, "as discussed")


def _without_section(markdown: str, bundle: Bundle) -> str:
    return markdown.replace(f"{HEADINGS[bundle.kind][1]}\n\n", "")


OPEN: Final = ("applied_failed", "applied_partial", "applied_pending", "dismissed")
UNAPPLIED: Final = ("dismissed",)

LIES: Final = (
    Lie("closure", Check.OUTCOME, added("The issue is resolved."), OPEN),
    Lie("closure in a list", Check.OUTCOME, _confirmed("- The problem has been fixed for good."), OPEN),
    Lie("closure in the problem", Check.OUTCOME, _problem("The outage is resolved."), OPEN),
    Lie("closure as a quotation", Check.OUTCOME, added("> The issue is resolved."), OPEN),
    Lie("closure in German", Check.OUTCOME, added("Das Problem ist behoben."), OPEN),
    Lie("closure behind a hedge", Check.OUTCOME, added("It was not easy, and everything works again."), OPEN),
    Lie("nothing left to do", Check.OUTCOME, added("No further action is required."), OPEN),
    Lie("recorded words left out", Check.OUTCOME, _without_recorded_words),
    Lie("invented host", Check.GROUNDING, added("This concerns srv-backup-09 alone.")),
    Lie("invented domain", Check.GROUNDING, _confirmed("- The entry for vpn.northwind.example is missing.")),
    Lie("invented address", Check.GROUNDING, added("The address in question is 10.99.1.5, as noted.")),
    Lie("invented version", Check.GROUNDING, added("This needs version 9.8.7 to be present.")),
    Lie("invented article", Check.GROUNDING, added("See KB9999999 for that.")),
    Lie("invented mail address", Check.GROUNDING, added("Write to ceo@northwind.example about that.")),
    Lie("invented user", Check.GROUNDING, added(r"The user CORP\administrator is concerned.")),
    Lie("invented person", Check.GROUNDING, added("As seen by Maria Lopez there.")),
    Lie("invented surname", Check.GROUNDING, added("Mr Vandermeer has agreed to that.")),
    Lie("invented name", Check.GROUNDING, _problem("Contact Marcus about that.")),
    Lie("invented name of a machine", Check.GROUNDING, _confirmed("- The server Zeus is concerned.")),
    Lie("invented port", Check.GROUNDING, added("The port 8443 is concerned.")),
    Lie("invented telephone", Check.GROUNDING, added("Dial +44 20 7946 0000 about that.")),
    Lie("invented release", Check.GROUNDING, added("This concerns Windows 12 alone.")),
    Lie("invented day", Check.GROUNDING, added("This was seen yesterday there.")),
    Lie("invented hour", Check.GROUNDING, added("This can be checked at noon there.")),
    Lie("invented time", Check.GROUNDING, added("This can be checked at 03:33 there.")),
    Lie("invented date", Check.GROUNDING, added("This can be checked on 1999-12-31 there.")),
    Lie("invented date in words", Check.GROUNDING, added("This can be checked on 31 December there.")),
    Lie(
        "another ticket's text",
        Check.GROUNDING,
        _problem("Printing from FS-77 fails for p.novak@fabrikam.example."),
    ),
    Lie(
        "a quote that is not there",
        Check.SUPPORT,
        _confirmed("- The client said “please do it over the weekend”."),
    ),
    Lie("section left out", Check.SHAPE, _without_section),
    Lie("HTML", Check.SHAPE, added("Look here: <img src=x onerror=alert(1)>")),
    Lie("markdown link", Check.SHAPE, added("[as agreed](#there)")),
    Lie("bare link", Check.SHAPE, added("Look at https://evil.example/login there.")),
    Lie("code fence", Check.SHAPE, added("```\nformat c\n```")),
    Lie("heading more", Check.SHAPE, lambda markdown, _: f"{markdown}\n## Summary\n\nDone.\n"),
    Lie("words before it", Check.SHAPE, lambda markdown, _: f"Sure, here it is:\n\n{markdown}"),
    Lie("secret", Check.SHAPE, added("The password: Tabby-Cat-7741 is there.")),
)
NOTE_LIES: Final = (
    Lie(
        "unsupported root cause",
        Check.SUPPORT,
        _root_cause("A faulty capacitor inside the mainboard overheated because of dust."),
    ),
    Lie(
        "unsupported root cause behind a denial",
        Check.SUPPORT,
        _root_cause("A faulty capacitor inside the mainboard did not survive the dust, no doubt."),
    ),
    Lie(
        "unsupported root cause behind an open one",
        Check.SUPPORT,
        _root_cause("It is not confirmed yet. A faulty capacitor inside the mainboard overheated."),
    ),
)
