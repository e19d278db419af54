"""When a session is written, and when another replica's newer change makes it wait."""

from datetime import timedelta
from uuid import UUID

import pytest
from note_generator.cache import NoteCache, NoteRef
from note_generator.handlers import Handlers, write_note
from note_generator.record import SessionUnknown
from note_generator.single_flight import SingleFlight, Written
from note_generator.waiting_room import Handled, NotQuiet, SessionKey
from note_generator.writer import TemplateWriter
from shared.contracts.events import CloudEvent
from shared.contracts.views import Snapshot
from unit.note_generator.note_stories import Story

ACCOUNT = UUID(int=7)
QUIET_S = 2.0


class Notes(SingleFlight):
    """Writes every note by the template, and remembers for whom."""

    def __init__(self, *, stored: bool = True, announced: bool = False) -> None:
        self.asked: list[NoteRef] = []
        self.stored, self.announced = stored, announced

    async def note(self, ref: NoteRef, snapshot: Snapshot, *, ahead: bool = False) -> Written:
        self.asked.append(ref)
        note = await write_note(
            snapshot,
            ref.kind,
            account_id=ref.account_id,
            writer=TemplateWriter(),
            clock=lambda: snapshot.session.updated_at,
        )
        return Written(note, stored=self.stored, announced=self.announced)


class Cache(NoteCache):
    def __init__(self) -> None:
        self.marked: list[NoteRef] = []
        self.watched = False

    async def is_watched(self, account_id: UUID, session_id: UUID) -> bool:
        return self.watched

    async def mark_announced(self, ref: NoteRef) -> None:
        self.marked.append(ref)


class Scene:
    def __init__(
        self,
        story: Story,
        *,
        known: bool = True,
        since_change_s: float = 60.0,
        notes: Notes | None = None,
        lazy: bool = False,
    ) -> None:
        self.story, self.known = story, known
        self.notes, self.cache = notes or Notes(), Cache()
        self.events: list[tuple[str, CloudEvent]] = []
        self.passed: list[str] = []
        self.handlers = Handlers(
            snapshot=self._snapshot,
            notes=self.notes,
            cache=self.cache,
            announce=self._announce,
            quiet_s=QUIET_S,
            clock=lambda: story.at + timedelta(seconds=since_change_s),
            checkpoint=self._pass,
            lazy=lazy,
        )
        self.key = SessionKey(ACCOUNT, UUID(int=9))

    async def _snapshot(self, *, account_id: UUID, session_id: UUID) -> Snapshot:
        if not self.known:
            raise SessionUnknown("no such session")
        return self.story.snapshot()

    async def _announce(self, event: CloudEvent, *, routing_key: str) -> None:
        self.events.append((routing_key, event))

    async def _pass(self, name: str) -> None:
        self.passed.append(name)


async def test_both_documents_are_written_announced_and_marked() -> None:
    scene = Scene(Story().say("client", "hello"))
    assert await scene.handlers.regenerate(scene.key, 10.0) == Handled(1)
    assert {ref.kind for ref in scene.notes.asked} == {"resolution_note", "escalation_package"}
    assert sorted(event.id.split("/")[1] for _, event in scene.events) == [
        "escalation_package",
        "resolution_note",
    ]
    assert {key for key, _ in scene.events} == {f"{ACCOUNT}.{scene.story.session_id}.note.regenerated"}
    assert all(event.sequence is None for _, event in scene.events)
    assert sorted(scene.cache.marked) == sorted(scene.notes.asked)


async def test_what_was_announced_is_not_announced_again() -> None:
    scene = Scene(Story(), notes=Notes(announced=True))
    assert await scene.handlers.regenerate(scene.key, 10.0) == Handled(0)
    assert scene.events == []


@pytest.mark.parametrize(
    ("since_change_s", "patience_s", "expected"),
    [
        (0.5, 10.0, NotQuiet(1.5)),
        (0.5, 0.7, NotQuiet(0.7)),
        (0.5, 0.0, Handled(0)),
        (2.0, 10.0, Handled(0)),
        (-30.0, 10.0, NotQuiet(QUIET_S)),
    ],
)
async def test_a_change_that_another_replica_saw_is_waited_for(
    since_change_s: float, patience_s: float, expected: Handled | NotQuiet
) -> None:
    scene = Scene(Story(), since_change_s=since_change_s)
    assert await scene.handlers.regenerate(scene.key, patience_s) == expected


async def test_a_session_that_nobody_knows_needs_nothing() -> None:
    scene = Scene(Story(), known=False)
    assert await scene.handlers.regenerate(scene.key, 10.0) == Handled(None)
    assert scene.notes.asked == []


@pytest.mark.parametrize("watched", [True, False])
async def test_in_lazy_mode_only_what_somebody_watches_is_written_ahead(watched: bool) -> None:
    scene = Scene(Story(), lazy=True)
    scene.cache.watched = watched
    assert await scene.handlers.regenerate(scene.key, 10.0) == Handled(0)
    assert len(scene.notes.asked) == (2 if watched else 0)
