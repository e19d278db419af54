"""Every exchange, queue and broker user, and which message goes where. `topology apply` makes it so.

Queue names carry a version, because a queue's arguments cannot change. Nobody but the administrator declares
anything, but for each asking replica's own exclusive reply queue (and the gateway's queue of updates).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from shared.contracts.vocabulary import Service

COMMANDS = "rf.commands"
QUERIES = "rf.queries"
REPLIES = "rf.replies"
EVENTS = "rf.events"
CHANGES = "rf.changes"
RETRIES = "rf.retries"
DEAD_LETTERS = "rf.dead-letters"

ExchangeType = Literal["direct", "topic"]

EXCHANGES: Mapping[str, ExchangeType] = {
    COMMANDS: "direct",
    QUERIES: "direct",
    REPLIES: "direct",
    EVENTS: "topic",
    CHANGES: "direct",
    RETRIES: "direct",
    DEAD_LETTERS: "direct",
}

LONGEST_MESSAGE = 8 << 20
"""Bytes of a message of ours; RabbitMQ takes 16 MiB, and closes the channel on what is longer."""

DELIVERY_LIMIT = 20
"""Deliveries that a worker may die of before the broker parks the message."""

RETRY_DELAYS_S = (1, 5, 30)
"""How long a message waits before it is tried again; after the last it is parked."""

_WORK_QUEUE_BYTES = 1 << 30
_PARKED_BYTES = 1 << 30
_LOOKS_AT_PARKED = 1_000_000
_QUERY_TTL_MS = 5_000
_PREVIEW_TTL_MS = 60_000
_QUERY_LENGTH = 10_000

Argument = str | int


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with its arguments and the one binding that feeds it. `work`: lost messages would be a loss."""

    name: str
    exchange: str
    routing_key: str
    arguments: Mapping[str, Argument]
    work: bool = False

    @property
    def dead_letter_key(self) -> str | None:
        """Where the broker parks what a worker died of too often."""
        key = self.arguments.get("x-dead-letter-routing-key")
        return str(key) if key is not None else None


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """A quorum queue with its parking queue and, if `retried`, its ladder of wait queues.

    `trusted`: the broker users whose messages are believed; the broker checked the name (its own: retries).
    `fed_by`: the routing key of what it receives, where that is not its own.
    """

    key: str
    exchange: str
    trusted: frozenset[str]
    fed_by: str | None = None
    retried: bool = True

    @property
    def name(self) -> str:
        return f"{self.key}.v1"

    @property
    def parked(self) -> str:
        return f"{self.key}.parked.v1"

    def wait(self, delay_s: int) -> str:
        """The wait queue of this delay; also its routing key on `rf.retries`."""
        return f"{self.key}.wait-{delay_s}s.v1"

    def queues(self) -> Iterator[Queue]:
        """The work queue, its wait queues, its parking queue."""
        yield Queue(self.name, self.exchange, self.fed_by or self.key, self._work_arguments(), work=True)
        for delay_s in RETRY_DELAYS_S if self.retried else ():
            yield Queue(self.wait(delay_s), RETRIES, self.wait(delay_s), self._wait_arguments(delay_s))
        # An operator looks at parked messages by taking them and giving them back: that must not count against them.
        limit = {"x-delivery-limit": _LOOKS_AT_PARKED}
        yield Queue(self.parked, DEAD_LETTERS, self.key, _bounded(_PARKED_BYTES) | limit)

    def _work_arguments(self) -> Mapping[str, Argument]:
        return _bounded(_WORK_QUEUE_BYTES) | {
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD_LETTERS,
            "x-dead-letter-routing-key": self.key,
            "x-dead-letter-strategy": "at-least-once",
        }

    def _wait_arguments(self, delay_s: int) -> Mapping[str, Argument]:
        return _bounded(_WORK_QUEUE_BYTES) | {
            "x-message-ttl": delay_s * 1_000,
            "x-dead-letter-exchange": self.exchange,
            "x-dead-letter-routing-key": self.key,
            "x-dead-letter-strategy": "at-least-once",
        }


def _bounded(size: int) -> dict[str, Argument]:
    return {"x-queue-type": "quorum", "x-max-length-bytes": size, "x-overflow": "reject-publish"}


def _questions(ttl_ms: int) -> dict[str, Argument]:
    return {
        "x-queue-type": "classic",
        "x-message-ttl": ttl_ms,
        "x-max-length": _QUERY_LENGTH,
        "x-overflow": "reject-publish",
    }


FIX_OUTCOMES_COMMANDS = WorkQueue(
    "fix-outcomes.commands", COMMANDS, trusted=frozenset({Service.GATEWAY, Service.FIX_OUTCOMES})
)
FIX_OUTCOMES_PARKED_NOTICES = WorkQueue(
    "fix-outcomes.parked-notices",
    DEAD_LETTERS,
    trusted=FIX_OUTCOMES_COMMANDS.trusted,
    fed_by=FIX_OUTCOMES_COMMANDS.key,
    retried=False,
)
NOTE_GENERATOR_STATE_CHANGES = WorkQueue(
    "note-generator.state-changes",
    CHANGES,
    trusted=frozenset({Service.FIX_OUTCOMES, Service.NOTE_GENERATOR}),
)

FIX_OUTCOMES_QUERIES = Queue(
    "fix-outcomes.queries.v1", QUERIES, "fix-outcomes.queries", _questions(_QUERY_TTL_MS)
)
NOTE_GENERATOR_PREVIEWS = Queue(
    "note-generator.previews.v1", QUERIES, "note-generator.previews", _questions(_PREVIEW_TTL_MS)
)

WORK_QUEUES = (FIX_OUTCOMES_COMMANDS, FIX_OUTCOMES_PARKED_NOTICES, NOTE_GENERATOR_STATE_CHANGES)


def queues() -> tuple[Queue, ...]:
    """Every queue that the administrator declares."""
    work = tuple(queue for group in WORK_QUEUES for queue in group.queues())
    return (*work, FIX_OUTCOMES_QUERIES, NOTE_GENERATOR_PREVIEWS)


def private_queue(service: Service, replica: str, connection: str, purpose: str) -> str:
    """The name of a replica's own exclusive queue: new with every connection, so that none blocks the next."""
    return f"{service}.{replica}.{connection}.{purpose}"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a service's broker user may do: three patterns, and what it may publish on `rf.events`."""

    configure: str
    write: str
    read: str
    events_write: str = "^$"
    events_read: str = "^$"


_ASKING = r"^{service}\.[A-Za-z0-9_-]+\.[0-9a-f]+\.(replies|updates)$"


def _any(*names: str) -> str:
    return "^(" + "|".join(name.replace(".", r"\.") for name in names) + ")$"


def _own(service: Service, *names: str) -> str:
    return f"{_ASKING.format(service=service)}|{_any(*names)}"


PERMISSIONS: Mapping[Service, Permissions] = {
    Service.GATEWAY: Permissions(
        configure=_ASKING.format(service=Service.GATEWAY),
        write=_own(Service.GATEWAY, COMMANDS, QUERIES),
        read=_own(Service.GATEWAY, REPLIES, EVENTS),
        events_read=".*",
    ),
    Service.FIX_OUTCOMES: Permissions(
        configure="^$",
        write=_any(REPLIES, EVENTS, CHANGES, RETRIES, DEAD_LETTERS),
        read=_any(
            FIX_OUTCOMES_COMMANDS.name,
            FIX_OUTCOMES_COMMANDS.parked,
            FIX_OUTCOMES_PARKED_NOTICES.name,
            FIX_OUTCOMES_QUERIES.name,
        ),
        events_write=r"^[0-9a-f-]{36}\.[0-9a-f-]{36}\.(session|fix)\.[a-z_]+$",
    ),
    Service.NOTE_GENERATOR: Permissions(
        configure=_ASKING.format(service=Service.NOTE_GENERATOR),
        write=_own(Service.NOTE_GENERATOR, QUERIES, REPLIES, EVENTS, RETRIES, DEAD_LETTERS),
        read=_own(
            Service.NOTE_GENERATOR,
            REPLIES,
            NOTE_GENERATOR_STATE_CHANGES.name,
            NOTE_GENERATOR_STATE_CHANGES.parked,
            NOTE_GENERATOR_PREVIEWS.name,
        ),
        events_write=r"^[0-9a-f-]{36}\.[0-9a-f-]{36}\.note\.regenerated$",
    ),
}


def psa_user(account_id: UUID | str) -> str:
    """The broker user of an account's PSA tool; its queues begin with this and a dot."""
    return f"psa-{account_id}"


def psa_permissions(account_id: UUID | str) -> Permissions:
    """What an account's PSA tool may do: have queues of its own, and bind them to its account's events."""
    own = rf"^{psa_user(account_id)}\."
    return Permissions(
        configure=own,
        write=own,
        read=rf"{own}|{_any(EVENTS)}",
        events_read=rf"^{account_id}\.",
    )
