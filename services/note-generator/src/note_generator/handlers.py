"""The order of things: what happens for a session that changed, and for a preview that somebody asked for."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final, Protocol
from uuid import UUID

from shared.contracts.answers import Answer
from shared.contracts.events import CloudEvent, NoteRegenerated, routing_key, source_of, type_of
from shared.contracts.problems import STATUS, ProblemCode
from shared.contracts.queries import LintNote, WriteNote
from shared.contracts.views import Note, Snapshot, Violation
from shared.contracts.vocabulary import NoteKind
from shared.logs import logger

from note_generator.aloud import Show, unseen
from note_generator.cache import NoteCache, NoteRef
from note_generator.checkpoints import Checkpoint
from note_generator.domain.bundle import bundle
from note_generator.domain.checks.examination import violations
from note_generator.metrics import GENERATION_SECONDS, GENERATIONS
from note_generator.outage import Away
from note_generator.record import SessionUnknown
from note_generator.single_flight import SingleFlight, Written
from note_generator.waiting_room import Handled, NotQuiet, SessionKey
from note_generator.writer import Writer
from shared import telemetry

log = logger(__name__)

Clock = Callable[[], datetime]

_EVENT: Final = "note.regenerated"


class AskSnapshot(Protocol):
    """Gives a session as it is now. Raises `RecordAway`, `SessionUnknown`."""

    async def __call__(self, *, account_id: UUID, session_id: UUID) -> Snapshot: ...


class Announce(Protocol):
    """Publishes an event, confirmed. Raises `BrokerAway`."""

    async def __call__(self, event: CloudEvent, *, routing_key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Handlers:
    """What this service does, with what it needs for it."""

    snapshot: AskSnapshot
    notes: SingleFlight
    cache: NoteCache
    announce: Announce
    quiet_s: float
    clock: Clock
    checkpoint: Checkpoint
    lazy: bool = False

    async def regenerate(self, key: SessionKey, patience_s: float) -> Handled | NotQuiet:
        """Have both documents of a session in the cache and announced, for its newest version."""
        try:
            snapshot = await self.snapshot(account_id=key.account_id, session_id=key.session_id)
        except SessionUnknown:
            log.warning("a changed session is unknown", session_id=str(key.session_id))
            return Handled(None)
        quiet_in_s = self.quiet_s - (self.clock() - snapshot.session.updated_at).total_seconds()
        if quiet_in_s > 0 and patience_s > 0:
            return NotQuiet(min(quiet_in_s, self.quiet_s, patience_s))
        if self.lazy and not await self.cache.is_watched(key.account_id, key.session_id):
            return Handled(snapshot.session.state_version)
        await self.checkpoint("before generation")
        refs = [NoteRef.of(key.account_id, snapshot.session, kind) for kind in NoteKind]
        await asyncio.gather(*(self._ensure(ref, snapshot) for ref in refs))
        return Handled(snapshot.session.state_version)

    async def preview(
        self, *, account_id: UUID, question: WriteNote, ref: int
    ) -> tuple[Answer, Written | None]:
        """The document for the session's newest version, and whether it is to be announced still."""
        try:
            snapshot = await self.snapshot(account_id=account_id, session_id=question.session_id)
            note_ref = NoteRef.of(account_id, snapshot.session, question.note)
            written = await self.notes.note(note_ref, snapshot)
        except SessionUnknown as unknown:
            return refusal(ref, ProblemCode.NOT_FOUND, str(unknown)), None
        except Away as outage:
            log.warning("preview not answerable", reason=type(outage).__name__)
            return refusal(ref, ProblemCode.UNAVAILABLE, "The note cannot be written right now"), None
        return Answer(ref=ref, status=HTTPStatus.OK, body=written.note.model_dump(mode="json")), written

    async def lint(self, *, account_id: UUID, question: LintNote, ref: int) -> Answer:
        """What is wrong with a text, if it were this document of the session as it is now."""
        try:
            snapshot = await self.snapshot(account_id=account_id, session_id=question.session_id)
        except SessionUnknown as unknown:
            return refusal(ref, ProblemCode.NOT_FOUND, str(unknown))
        except Away as outage:
            log.warning("text not judged", reason=type(outage).__name__)
            return refusal(ref, ProblemCode.UNAVAILABLE, "The text cannot be checked right now")
        found = violations(question.markdown, bundle(snapshot, question.note))
        shown = [
            Violation(check=each.check, rule=each.rule, detail=each.detail, sentence=each.sentence)
            for each in found
        ]
        body = {
            "state_version": snapshot.session.state_version,
            "violations": [each.model_dump(mode="json") for each in shown],
        }
        return Answer(ref=ref, status=HTTPStatus.OK, body=body)

    async def announce_once(self, account_id: UUID, written: Written) -> None:
        """Tell everyone about a note that the cache has, unless that was done."""
        if not written.stored or written.announced:
            return
        note = written.note
        await self.checkpoint("after store before announce")
        key = routing_key(account_id, note.session_id, _EVENT)
        await self.announce(regenerated(account_id, note), routing_key=key)
        await self.cache.mark_announced(NoteRef(account_id, note.session_id, note.kind, note.state_version))

    async def _ensure(self, ref: NoteRef, snapshot: Snapshot) -> None:
        await self.announce_once(ref.account_id, await self.notes.note(ref, snapshot, ahead=True))


def refusal(ref: int, code: ProblemCode, detail: str) -> Answer:
    """An answer that says no."""
    return Answer(ref=ref, status=STATUS[code], body={"code": code, "detail": detail})


def regenerated(account_id: UUID, note: Note) -> CloudEvent:
    """The event about a note. Its id is the same each time."""
    data = NoteRegenerated(
        account_id=account_id,
        session_id=note.session_id,
        kind=note.kind,
        state_version=note.state_version,
        generator=note.generator,
        degraded=note.degraded,
    )
    return CloudEvent(
        id=f"{note.session_id}/{note.kind}/{note.state_version}",
        source=source_of(account_id, note.session_id),
        type=type_of(_EVENT),
        time=note.generated_at,
        data=data.model_dump(mode="json"),
    )


async def write_note(
    snapshot: Snapshot,
    kind: NoteKind,
    *,
    account_id: UUID,
    writer: Writer,
    clock: Clock,
    show: Show = unseen,
) -> Note:
    """One document of a session, written now."""
    began = time.perf_counter()
    with telemetry.inner(f"write {kind}"):
        draft = await writer.write(bundle(snapshot, kind), account_id=account_id, show=show)
        telemetry.note({"rf.generator": draft.generator, "rf.degraded": draft.degraded})
    reason = "degraded" if draft.degraded else "wanted"
    GENERATIONS.labels(kind, draft.generator, reason).inc()
    GENERATION_SECONDS.labels(draft.generator).observe(time.perf_counter() - began)
    return Note(
        session_id=snapshot.session.id,
        kind=kind,
        state_version=snapshot.session.state_version,
        markdown=draft.markdown,
        generator=draft.generator,
        degraded=draft.degraded,
        warnings=draft.warnings,
        citations=draft.citations,
        usage=draft.usage,
        generated_at=clock(),
    )
