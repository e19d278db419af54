"""The notes that note-generator left in Redis. A cache: where it is away, we do without, and quickly."""

from collections import Counter
from typing import Final
from uuid import UUID

from pydantic import ValidationError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from shared.contracts.cache import INTEREST_S, NOTE_FIELD, VERSION_FIELD, draft_key, interest_key, note_key
from shared.contracts.views import Note, NoteSoFar
from shared.contracts.vocabulary import NoteKind
from shared.logs import logger

from gateway.settings import Settings

log = logger(__name__)

_CONNECTIONS: Final = 20
_AWAY: Final = (RedisError, OSError, TimeoutError, RuntimeError)
"""RuntimeError: what uvloop raises where a connection that was reset is written to, and redis-py lets through."""


class NoteCache:
    """Reads notes and their versions; nothing here ever raises because Redis is away."""

    def __init__(self, *, url: str, timeout_s: float) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=timeout_s,
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis: Redis = Redis.from_pool(pool)
        self.lookups: Counter[str] = Counter()

    @classmethod
    def of(cls, settings: Settings) -> "NoteCache":
        """The cache that these settings describe; nothing is connected yet."""
        return cls(url=settings.redis_url.get_secret_value(), timeout_s=settings.cache_timeout_s)

    async def note(
        self, *, account_id: UUID, session_id: UUID, kind: NoteKind, state_version: int
    ) -> Note | None:
        """The note of exactly this version, if it is there."""
        key = note_key(account_id, session_id, kind)
        try:
            version, document = await self._redis.hmget(key, [VERSION_FIELD, NOTE_FIELD])
            if version is None or document is None or int(version) != state_version:
                self.lookups["miss"] += 1
                return None
            note = Note.model_validate_json(document)
            self.lookups["hit"] += 1
        except _AWAY as error:
            log.warning("note cache is away", reason=type(error).__name__)
            self.lookups["away"] += 1
            return None
        except (ValidationError, ValueError):
            log.warning("cached note is unreadable", session_id=str(session_id), kind=kind)
            return None
        return note if (note.session_id, note.state_version) == (session_id, state_version) else None

    async def so_far(
        self, *, account_id: UUID, session_id: UUID, kind: NoteKind, state_version: int
    ) -> NoteSoFar | None:
        """What may be shown already of the note of this version, if it is being written."""
        try:
            draft = await self._redis.get(draft_key(account_id, session_id, kind, state_version))
            return None if draft is None else NoteSoFar.model_validate_json(draft)
        except (*_AWAY, ValidationError) as error:
            log.warning("note cache is away", reason=type(error).__name__)
            return None

    async def versions(self, *, account_id: UUID, session_id: UUID) -> dict[NoteKind, int]:
        """The state_version of each note of the session that is there."""
        found: dict[NoteKind, int] = {}
        try:
            for kind in NoteKind:
                version = await self._redis.hget(note_key(account_id, session_id, kind), VERSION_FIELD)
                if version is not None:
                    found[kind] = int(version)
        except (*_AWAY, ValueError) as error:
            log.warning("note cache is away", reason=type(error).__name__)
        return found

    async def show_interest(self, *, account_id: UUID, session_id: UUID) -> None:
        """Let note-generator know that somebody looks at this session."""
        try:
            await self._redis.set(interest_key(account_id, session_id), "1", ex=INTEREST_S)
        except _AWAY as error:
            log.warning("note cache is away", reason=type(error).__name__)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()
