"""Notes in Redis, and the lock under which each of them is written once. A cache: it may vanish at any moment."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self
from uuid import UUID, uuid4

from pydantic import ValidationError
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from shared.contracts.cache import (
    NOTE_FIELD,
    VERSION_FIELD,
    draft_key,
    fence_key,
    interest_key,
    lock_key,
    note_key,
)
from shared.contracts.views import Note, NoteSoFar, Session
from shared.contracts.vocabulary import NoteKind
from shared.logs import logger

from note_generator.outage import CacheAway

log = logger(__name__)

_ANNOUNCED: Final = "a"
_PAUSE_S: Final = 1.0
_DRAFT_MS: Final = 120_000
_CONNECTIONS: Final = 20
_AWAY: Final = (RedisError, OSError, TimeoutError, RuntimeError)
"""RuntimeError: what uvloop raises where a connection that was reset is written to, and redis-py lets through."""

_CLAIM: Final = f"""
local version = redis.call('HGET', KEYS[1], '{VERSION_FIELD}')
if version and tonumber(version) >= tonumber(ARGV[1]) then
  local note = redis.call('HMGET', KEYS[1], '{NOTE_FIELD}', '{_ANNOUNCED}')
  return {{'found', note[1] or '', note[2] == version and '1' or ''}}
end
if redis.call('EXISTS', KEYS[2]) == 1 then return {{'busy', '', ''}} end
local lock = redis.call('INCR', KEYS[3]) .. ':' .. ARGV[2]
redis.call('PEXPIRE', KEYS[3], ARGV[4])
redis.call('SET', KEYS[2], lock, 'PX', ARGV[3])
return {{'granted', lock, ''}}
"""

_STORE: Final = f"""
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[4] then return 0 end
local version, stored = redis.call('HGET', KEYS[1], '{VERSION_FIELD}'), 0
if not version or tonumber(version) < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], '{VERSION_FIELD}', ARGV[1], '{NOTE_FIELD}', ARGV[2])
  redis.call('HDEL', KEYS[1], '{_ANNOUNCED}')
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  stored = 1
end
if holder then redis.call('DEL', KEYS[2]) end
return stored
"""

_RENEW: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
"""

_SHOW: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
return 0
"""

_RELEASE: Final = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
)

_MARK: Final = f"""
if redis.call('HGET', KEYS[1], '{VERSION_FIELD}') == ARGV[1] then
  return redis.call('HSET', KEYS[1], '{_ANNOUNCED}', ARGV[1])
end
return 0
"""


class NoteRef(NamedTuple):
    """One document at one version: what is generated at most once."""

    account_id: UUID
    session_id: UUID
    kind: NoteKind
    state_version: int

    @classmethod
    def of(cls, account_id: UUID, session: Session, kind: NoteKind) -> Self:
        """The document of this kind for the session as it is."""
        return cls(account_id, session.id, kind, session.state_version)

    @property
    def note_key(self) -> str:
        return note_key(self.account_id, self.session_id, self.kind)

    @property
    def lock_key(self) -> str:
        return lock_key(self.account_id, self.session_id, self.kind, self.state_version)

    @property
    def draft_key(self) -> str:
        return draft_key(self.account_id, self.session_id, self.kind, self.state_version)

    @property
    def fence_key(self) -> str:
        return fence_key(self.account_id, self.session_id, self.kind)


@dataclass(frozen=True, slots=True)
class Found:
    """It is there, for this version or a newer one."""

    note: Note
    announced: bool


@dataclass(frozen=True, slots=True)
class Granted:
    """It is ours to write. `lock`: the fencing token and a word that is nobody else's."""

    lock: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Another replica is writing it."""


class NoteCache:
    """Every method raises `CacheAway` where Redis does not answer, for a second without asking it again."""

    def __init__(self, *, url: str, timeout_s: float, ttl_s: int, lease_s: float) -> None:
        self._redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                url,
                max_connections=_CONNECTIONS,
                timeout=timeout_s,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 1),
                decode_responses=True,
            )
        )
        self._ttl_ms, self._lease_ms = ttl_s * 1_000, int(lease_s * 1_000)
        self._timeout_s = timeout_s
        self._away_until = 0.0
        self._unanswered = 0
        self._answered = asyncio.Event()
        self._answered.set()
        self._claim = self._redis.register_script(_CLAIM)
        self._store = self._redis.register_script(_STORE)
        self._renew = self._redis.register_script(_RENEW)
        self._release = self._redis.register_script(_RELEASE)
        self._show = self._redis.register_script(_SHOW)
        self._mark = self._redis.register_script(_MARK)

    async def claim(self, ref: NoteRef) -> Found | Granted | Busy:
        """The note if it is there; else the lock to write it, unless another has that."""
        keys = [ref.note_key, ref.lock_key, ref.fence_key]
        arguments: list[str | int] = [ref.state_version, uuid4().hex, self._lease_ms, self._ttl_ms]
        what, value, announced = await self._ask(lambda: self._claim(keys=keys, args=arguments))
        if what == "granted":
            return Granted(value)
        if what == "busy":
            return Busy()
        try:
            return Found(Note.model_validate_json(value), bool(announced))
        except ValidationError:
            log.warning("unreadable note in the cache", kind=ref.kind)
            await self._ask(lambda: self._redis.delete(ref.note_key))
            return Busy()

    async def store(self, ref: NoteRef, note: Note, lock: str) -> bool:
        """Write it if it is newer than what is there and nobody took the lock over; gives the lock back."""
        arguments: list[str | int] = [ref.state_version, note.model_dump_json(), self._ttl_ms, lock]
        stored = await self._ask(lambda: self._store(keys=[ref.note_key, ref.lock_key], args=arguments))
        return bool(stored)

    async def renew(self, ref: NoteRef, lock: str) -> bool:
        """Hold the lock for another lease; False when it is lost."""
        renewed = await self._ask(lambda: self._renew(keys=[ref.lock_key], args=[lock, self._lease_ms]))
        return bool(renewed)

    async def show(self, ref: NoteRef, so_far: NoteSoFar, lock: str) -> None:
        """Let be seen what is written so far, while the lock is held."""
        arguments: list[str | int] = [lock, so_far.model_dump_json(), _DRAFT_MS]
        await self._ask(lambda: self._show(keys=[ref.lock_key, ref.draft_key], args=arguments))

    async def release(self, ref: NoteRef, lock: str) -> None:
        """Give the lock back without having written."""
        await self._ask(lambda: self._release(keys=[ref.lock_key], args=[lock]))

    async def mark_announced(self, ref: NoteRef) -> None:
        """Remember that the event about this version was published."""
        await self._ask(lambda: self._mark(keys=[ref.note_key], args=[ref.state_version]))

    async def text(self, key: str) -> str | None:
        """A text that was kept."""
        found: str | None = await self._ask(lambda: self._redis.get(key))
        return found

    async def keep(self, key: str, text: str) -> None:
        """Keep a text as long as a note."""
        await self._ask(lambda: self._redis.set(key, text, px=self._ttl_ms))

    async def is_watched(self, account_id: UUID, session_id: UUID) -> bool:
        """Whether somebody looked at the session of late."""
        return bool(await self._ask(lambda: self._redis.exists(interest_key(account_id, session_id))))

    async def run(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        """One step of the ledger."""
        return await self._ask(lambda: self._redis.register_script(script)(keys=keys, args=arguments))

    async def close(self) -> None:
        """Ask nothing more, and close the connections once what was asked is answered.

        A question that is waiting when its connection is closed would open another one, which nobody closes.
        """
        self._away_until = math.inf
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * self._timeout_s):
                await self._answered.wait()
        await self._redis.aclose()

    async def _ask(self, question: Callable[[], Awaitable[Any]]) -> Any:
        now = asyncio.get_running_loop().time
        if now() < self._away_until:
            raise CacheAway
        self._unanswered += 1
        self._answered.clear()
        try:
            return await question()
        except _AWAY as error:
            self._away_until = max(self._away_until, now() + _PAUSE_S)
            log.warning("redis does not answer", reason=type(error).__name__)
            raise CacheAway from error
        finally:
            self._unanswered -= 1
            if not self._unanswered:
                self._answered.set()
