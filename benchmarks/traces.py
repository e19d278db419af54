"""1,000 accepted changes of many sessions, in three tempers."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from unit.note_generator.note_stories import Story

CHANGES = 1_000


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
