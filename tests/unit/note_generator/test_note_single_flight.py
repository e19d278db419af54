"""Callers that share one writing of a note, and the moment at which it ends."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from note_generator.aloud import Show
from note_generator.cache import Busy, Found, Granted, NoteCache, NoteRef
from note_generator.handlers import write_note
from note_generator.outage import CacheAway
from note_generator.single_flight import SingleFlight
from note_generator.writer import TemplateWriter
from shared.contracts.views import Note, Snapshot
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.note_stories import Story

ACCOUNT = UUID(int=7)


class Cache(NoteCache):
    """Says nothing until it goes away, and is away from then on."""

    def __init__(self) -> None:
        self.went = asyncio.Event()

    async def claim(self, ref: NoteRef) -> Found | Granted | Busy:
        await self.went.wait()
        raise CacheAway


async def _write(ref: NoteRef, snapshot: Snapshot, _: Show) -> Note:
    return await write_note(
        snapshot,
        ref.kind,
        account_id=ref.account_id,
        writer=TemplateWriter(),
        clock=lambda: datetime.now(UTC),
    )


@pytest.mark.timeout(20)
async def test_who_asks_just_as_a_writing_ahead_gives_up_gets_the_note() -> None:
    cache, snapshot = Cache(), Story().snapshot()
    notes = SingleFlight(cache=cache, write=_write, lease_s=1.0)
    ref = NoteRef.of(ACCOUNT, snapshot.session, NoteKind.RESOLUTION_NOTE)
    ahead = asyncio.create_task(notes.note(ref, snapshot, ahead=True))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    cache.went.set()
    # Its turn comes after that of the writing, which then is over, and before anybody has heard of that.
    asked = asyncio.create_task(notes.note(ref, snapshot))
    written = await asked
    assert (written.note.state_version, written.stored) == (ref.state_version, False)
    with pytest.raises(CacheAway):
        await ahead
