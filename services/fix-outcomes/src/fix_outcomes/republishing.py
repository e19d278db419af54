"""`journal replay`: publish events again, as they were, with the same ids. Subscribers remove repeats by id."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from shared.contracts.vocabulary import Service
from shared.publisher import NotPublished, Publisher

from fix_outcomes.announcing import publish_in_order, wake_note_generator
from fix_outcomes.settings import Settings
from fix_outcomes.storage import database, outbox

PAGE = 500


async def replay(
    settings: Settings, *, session_id: UUID | None, since: datetime | None, report: Callable[[int], None]
) -> int:
    """Publish the entries of a session, or those since a moment, in order; how many. Raises `NotPublished`."""
    publisher = Publisher(
        url=settings.amqp_url.get_secret_value(),
        service=Service.FIX_OUTCOMES,
        replica=settings.replica,
        purpose="replays",
    )
    engine = database.connect(
        settings.relay_database_url.get_secret_value(), name="fix-outcomes replay", connections=1
    )
    await publisher.start()
    done, after = 0, outbox.BEGINNING
    try:
        while True:
            async with database.raw(engine) as connection:
                page = await outbox.entries(
                    connection, session_id=session_id, since=since, after=after, limit=PAGE
                )
            if not page:
                return done
            confirmed = await publish_in_order(publisher, page)
            if len(confirmed) < len(page):
                raise NotPublished(f"{done + len(confirmed)} events were published, then the broker refused")
            await wake_note_generator(publisher, page)
            done, after = done + len(page), outbox.place(page[-1])
            report(done)
    finally:
        await publisher.stop()
        await engine.dispose()
