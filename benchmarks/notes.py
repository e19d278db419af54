"""LLM calls, tokens and cost per 1,000 state changes: `python -m benchmarks.notes` writes the table into docs/notes.md.

The traces are replayed against a clock of their own, with the rules of note-generator's waiting room and writer as
its settings have them; the bundles, and so the tokens, are real ones. Characters / 4 stand for tokens.
"""

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "note_generator"))

from note_generator.domain.brief import brief
from note_generator.domain.bundle import bundle
from note_generator.domain.template import document
from note_generator.frugal import covered_by_template
from note_generator.settings import Settings
from note_stories import Story
from shared.contracts.vocabulary import NoteKind

DOCUMENT = Path(__file__).parents[1] / "docs" / "notes.md"
BEGIN, END = "<!-- bench-notes -->", "<!-- /bench-notes -->"
CHANGES = 1_000
QUIET_S, MAX_WAIT_S, CALL_S = 2.0, 10.0, 4.0
WATCHED_OF_20 = 7
PROMPT_TOKENS = 900


@dataclass(frozen=True)
class Change:
    """One accepted change of a session, at a second of the trace."""

    at: float
    session: int
    tell: Callable[[Story, int], object]


def _talk(story: Story, number: int) -> object:
    return story.say("engineer", f"step {number}: looked at the log and the lease")


def _internal(story: Story, number: int) -> object:
    return story.fact(f"internal remark {number}", "internal")


def _pending(story: Story, number: int) -> object:
    if "it" not in story.fixes:
        story.suggest("Update the router as agreed", name="it")
    return story.record("it", "applied_pending", f"waiting for the restart ({number})")


def _partial(story: Story, number: int) -> object:
    if "it" not in story.fixes:
        story.suggest("Update the router as agreed", name="it")
    return story.record("it", "applied_partial", f"two of three sites ({number})")


def _dismissed(story: Story, number: int) -> object:
    name = f"idea {number}"
    story.suggest(f"Another idea, number {number}", name=name)
    return story.record(name, "dismissed", "too risky")


def calm() -> Iterator[Change]:
    """50 sessions, a change every half minute to two minutes."""
    chance = random.Random(1)
    times = [0.0] * 50
    for _ in range(CHANGES):
        session = chance.randrange(50)
        times[session] += chance.uniform(30, 120)
        yield Change(times[session], session, chance.choice([_talk, _talk, _internal, _pending, _dismissed]))


def bursty() -> Iterator[Change]:
    """50 sessions, 20 changes each in two bursts, within seconds."""
    chance = random.Random(2)
    for session in range(50):
        at = chance.uniform(0, 600)
        for number in range(20):
            at += 120 if number == 10 else chance.uniform(0.1, 0.9)
            yield Change(at, session, chance.choice([_talk, _talk, _talk, _internal, _pending]))


def flip_flop() -> Iterator[Change]:
    """20 sessions whose fix goes back and forth between pending and partial, every three to eight seconds."""
    chance = random.Random(3)
    for session in range(20):
        at = chance.uniform(0, 600)
        for number in range(50):
            at += chance.uniform(3, 8)
            yield Change(at, session, _pending if number % 2 else _partial)


@dataclass
class Costs:
    """What a policy took."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, record: str, text: str) -> None:
        """One call."""
        self.calls += 1
        self.input_tokens += PROMPT_TOKENS + len(record) // 4
        self.output_tokens += len(text) // 3  # the evidence comes on top of the text

    def row(self, settings: Settings) -> str:
        """As the table shows it."""
        price = settings.price
        usd = (self.input_tokens * price.input + self.output_tokens * price.output) / 1_000_000
        return f"{self.calls:,} | {self.input_tokens:,} + {self.output_tokens:,} | {usd:.2f}"


POLICIES = ("naive", "single-flight", "debounce", "content hash", "lazy")


def replay(changes: list[Change], policy: str) -> Costs:
    """Generate as the policy says, each one on top of those before it."""
    level = POLICIES.index(policy)
    stories: dict[int, Story] = {}
    costs, hashes = Costs(), set()
    by_session: dict[int, list[Change]] = {}
    for change in sorted(changes, key=lambda each: each.at):
        by_session.setdefault(change.session, []).append(change)
    for session, own in by_session.items():
        story = stories.setdefault(session, Story())
        if level >= POLICIES.index("lazy") and session % 20 >= WATCHED_OF_20:
            continue
        moments = _moments([change.at for change in own], level)
        for number, change in enumerate(own):
            change.tell(story, number)
            if number in moments:
                _generate(story, session, costs, hashes if level >= POLICIES.index("content hash") else None)
    return costs


def _moments(times: list[float], level: int) -> set[int]:
    """After which changes the session is written."""
    if level == 0:
        return set(range(len(times)))
    written, free_at, first = set(), 0.0, None
    for number, at in enumerate(times):
        following = times[number + 1] if number + 1 < len(times) else float("inf")
        if level == 1:  # one after the other: what changes meanwhile is written once, afterwards
            if following >= max(at, free_at):
                written.add(number)
                free_at = max(at, free_at) + CALL_S
            continue
        first = at if first is None else first
        if following - at >= QUIET_S or following - first >= MAX_WAIT_S:
            written.add(number)
            first = None
    return written


def _generate(story: Story, session: int, costs: Costs, hashes: set[tuple[int, str]] | None) -> None:
    for kind in NoteKind:
        made = bundle(story.snapshot(), kind)
        record = brief(made)
        if hashes is not None:
            if (session, kind + record) in hashes or covered_by_template(made):
                continue
            hashes.add((session, kind + record))
        costs.add(record, document(made))


def table(settings: Settings) -> str:
    """All traces, all policies, and the tokens of long sessions."""
    lines = ["| trace | policy | calls | tokens in + out | USD |", "|---|---|---|---|---|"]
    for trace in (calm, bursty, flip_flop):
        changes = list(trace())
        for policy in POLICIES:
            row = replay(changes, policy).row(settings)
            lines.append(f"| {trace.__name__.replace('_', '-')} | {policy} | {row} |")
    lines += ["", "| messages in the session | tokens of the record |", "|---|---|"]
    lines += [f"| {count:,} | {tokens(count):,} |" for count in (10, 100, 1_000)]
    return "\n".join(lines)


def tokens(messages: int) -> int:
    """What a model reads of a session of so many messages."""
    story = Story()
    for number in range(messages):
        story.say("engineer", f"{number}: " + "what was looked at, and what was seen there; " * 6)
    return len(brief(bundle(story.snapshot(), NoteKind.ESCALATION_PACKAGE))) // 4


def main() -> None:
    """Print the table and put it into the document."""
    settings = Settings.model_construct()
    made = table(settings)
    page = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
