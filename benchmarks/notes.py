"""LLM calls, tokens and cost per 1,000 state changes: `python -m benchmarks.notes` writes the table into docs/notes.md.

The traces are replayed through note-generator itself: its waiting room, handlers, single flight and frugal writer, on
an event loop whose clock jumps. Played are Redis, by a dictionary, and the model, which takes four seconds; a token is
four characters of what it would read and write.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from note_generator.aloud import Show, unseen
from note_generator.cache import Busy, Found, Granted, NoteRef
from note_generator.checkpoints import no_checkpoint
from note_generator.domain.brief import brief
from note_generator.domain.bundle import Bundle, bundle
from note_generator.domain.template import document
from note_generator.frugal import FrugalWriter
from note_generator.handlers import Handlers, write_note
from note_generator.settings import Settings
from note_generator.single_flight import SingleFlight
from note_generator.waiting_room import Delivery, Patience, WaitingRoom
from note_generator.writer import Draft, TemplateWriter, Writer
from shared.contracts.events import StateChange
from shared.contracts.views import Note, Snapshot
from shared.contracts.vocabulary import Generator, NoteKind
from unit.note_generator.jumping_loop import JumpingLoop
from unit.note_generator.note_stories import BEGAN, Story

from benchmarks.traces import Change, bursty, calm, flip_flop

DOCUMENT = Path(__file__).parents[1] / "docs" / "notes.md"
BEGIN, END = "<!-- bench-notes -->", "<!-- /bench-notes -->"
CALL_S = 4.0
WATCHED_OF_20 = 7
ACCOUNT = UUID(int=1)
PROMPT_TOKENS = 900


POLICIES = ("naive", "single-flight", "debounce", "content hash", "lazy")


@dataclass
class Counted:
    """The model: writes what the template writes, after a while, and counts."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    async def write(self, bundle: Bundle, *, account_id: UUID, show: Show = unseen) -> Draft:
        self.calls += 1
        self.input_tokens += PROMPT_TOKENS + len(brief(bundle)) // 4
        text = document(bundle)
        self.output_tokens += len(text) // 3  # the evidence comes on top of the text
        await asyncio.sleep(CALL_S)
        return Draft(text, Generator.LLM)

    async def close(self) -> None:
        """It has no connections."""

    def row(self, settings: Settings) -> str:
        """As the table shows it."""
        price = settings.price
        usd = (self.input_tokens * price.input + self.output_tokens * price.output) / 1_000_000
        return f"{self.calls:,} | {self.input_tokens:,} + {self.output_tokens:,} | {usd:.2f}"


@dataclass
class Memory:
    """What note-generator asks of Redis."""

    notes: dict[str, Note] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    locks: set[str] = field(default_factory=set)
    watched: set[UUID] = field(default_factory=set)

    async def claim(self, ref: NoteRef) -> Found | Granted | Busy:
        note = self.notes.get(ref.note_key)
        if note and note.state_version >= ref.state_version:
            return Found(note, announced=False)
        if ref.lock_key in self.locks:
            return Busy()
        self.locks.add(ref.lock_key)
        return Granted(ref.lock_key)

    async def store(self, ref: NoteRef, note: Note, lock: str) -> bool:
        self.locks.discard(lock)
        self.notes[ref.note_key] = note
        return True

    async def renew(self, *_: object) -> bool:
        return True

    async def mark_announced(self, *_: object) -> None:
        """Nobody listens."""

    async def is_watched(self, _: UUID, session_id: UUID) -> bool:
        return session_id in self.watched

    async def text(self, key: str) -> str | None:
        return self.texts.get(key)

    async def keep(self, key: str, text: str) -> None:
        self.texts[key] = text


class Replay:
    """One trace under one policy; each policy on top of those before it."""

    def __init__(self, changes: list[Change], policy: str, settings: Settings) -> None:
        self._changes = sorted(changes, key=lambda each: each.at)
        self._level, self._settings = POLICIES.index(policy), settings
        self._stories = {change.session: Story(session_id=UUID(int=change.session)) for change in changes}
        self.model = Counted()

    async def run(self) -> Counted:
        """Tell every change at its second, and wait until all is written."""
        loop, told = asyncio.get_running_loop(), dict.fromkeys(self._stories, 0)
        room = self._room()
        room.start()
        writing = []
        for change in self._changes:
            await asyncio.sleep(change.at - loop.time())
            story = self._stories[change.session]
            story.at = (
                BEGAN + timedelta(seconds=change.at) - timedelta(minutes=7)
            )  # a step of a story takes 7 minutes
            change.tell(story, told[change.session])
            told[change.session] += 1
            if self._level == 0:
                writing += [asyncio.create_task(self._write(kind, story.snapshot())) for kind in NoteKind]
            else:
                changed = StateChange(
                    account_id=ACCOUNT, session_id=story.session_id, state_version=story.version
                )
                await room.take(Delivery(settle=_settled), [changed])
        while len(room):  # noqa: ASYNC110 - on this clock it takes no time
            await asyncio.sleep(1)
        await asyncio.gather(*writing)
        await room.stop(within_s=0)
        return self.model

    def _room(self) -> WaitingRoom:
        debounced = self._level >= POLICIES.index("debounce")
        quiet_s = self._settings.quiet_s if debounced else 0.0
        memory: Any = Memory(watched={UUID(int=n) for n in self._stories if n % 20 < WATCHED_OF_20})
        handlers = Handlers(
            snapshot=self._snapshot,
            notes=SingleFlight(cache=memory, write=self._flown(memory), lease_s=self._settings.lease_s),
            cache=memory,
            announce=_announced,
            quiet_s=quiet_s,
            clock=_now,
            checkpoint=no_checkpoint,
            lazy=self._level >= POLICIES.index("lazy"),
        )
        return WaitingRoom(
            patience=Patience(quiet_s=quiet_s, max_wait_s=self._settings.max_wait_s if debounced else 0.0),
            max_sessions=self._settings.max_sessions,
            workers=self._settings.writers,
            regenerate=handlers.regenerate,
            set_aside=_lost,
        )

    def _flown(self, memory: Any) -> Callable[[NoteRef, Snapshot, Show], Any]:
        writer: Writer = self.model
        if self._level >= POLICIES.index("content hash"):
            writer = FrugalWriter(first=self.model, template=TemplateWriter(), cache=memory, made_by="bench")
        return lambda ref, snapshot, _: self._write(ref.kind, snapshot, writer)

    async def _write(self, kind: NoteKind, snapshot: Snapshot, writer: Writer | None = None) -> Note:
        return await write_note(snapshot, kind, account_id=ACCOUNT, writer=writer or self.model, clock=_now)

    async def _snapshot(self, *, account_id: UUID, session_id: UUID) -> Snapshot:
        return self._stories[session_id.int].snapshot()


def _now() -> datetime:
    return BEGAN + timedelta(seconds=asyncio.get_running_loop().time())


async def _settled() -> None:
    """Nothing is acknowledged here."""


async def _announced(*_: object, **__: object) -> None:
    """Nobody listens."""


async def _lost(_: object, error: Exception) -> None:
    raise error


def replay(changes: list[Change], policy: str, settings: Settings) -> Counted:
    """What the policy costs on this trace."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(Replay(changes, policy, settings).run())


def table(settings: Settings) -> str:
    """All traces, all policies, and the tokens of long sessions."""
    lines = ["| trace | policy | calls | tokens in + out | USD |", "|---|---|---|---|---|"]
    for trace in (calm, bursty, flip_flop):
        changes = list(trace())
        for policy in POLICIES:
            row = replay(changes, policy, settings).row(settings)
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
    argparse.ArgumentParser(prog="benchmarks.notes", description=__doc__).parse_args()
    settings = Settings.model_construct()
    made = table(settings)
    page = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{made}\n\n{END}{after}", encoding="utf-8")
    print(made)
    _hold_to_promise(settings)


def _hold_to_promise(settings: Settings) -> None:
    burst = list(bursty())
    naive, ours = (replay(burst, policy, settings).calls for policy in ("naive", "content hash"))
    if 4 * ours > naive:
        sys.exit(f"a burst costs {ours} calls of {naive}: more than a quarter")
    many, most = tokens(100), tokens(1_000)
    if abs(many - most) > 0.2 * many:
        sys.exit(
            f"a session of 1,000 messages takes {most} tokens, one of 100 takes {many}: not within a fifth"
        )


if __name__ == "__main__":
    main()
