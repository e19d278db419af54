"""What failed goes to the retry ladder, and what cannot succeed to the parking queue: nothing is dropped."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from faststream.rabbit import RabbitMessage
from shared.contracts import topology
from shared.contracts.events import StateChange, StateChanges

from note_generator.messenger import Messenger
from note_generator.outage import Away
from note_generator.waiting_room import Waiting

_PAUSE_S: Final = 1.0


def set_aside(messenger: Messenger) -> Callable[[Waiting, Exception], Awaitable[None]]:
    """Give a session whose generation failed to the retry ladder, and after its last step to the parking queue."""

    async def step(waiting: Waiting, error: Exception) -> None:
        key, attempts = waiting.key, waiting.attempts + 1
        changes = StateChanges(
            changes=(
                StateChange(
                    account_id=key.account_id, session_id=key.session_id, state_version=waiting.state_version
                ),
            )
        )
        headers: dict[str, str | int] = {"reason": type(error).__name__, "attempts": attempts}
        if waiting.traceparent:
            headers["traceparent"] = waiting.traceparent
        if attempts <= len(topology.RETRY_DELAYS_S):
            delay_s = topology.RETRY_DELAYS_S[attempts - 1]
            await messenger.retry(changes, delay_s=delay_s, headers=headers)
        else:
            await messenger.park(changes.model_dump_json().encode(), headers=headers)

    return step


async def park_malformed(message: RabbitMessage, *, messenger: Messenger) -> None:
    """Park a message that nobody can read, however long that takes: it is acknowledged after this."""
    while True:
        try:
            return await messenger.park(message.body, headers=_reasons(message, "malformed"))
        except Away:
            await asyncio.sleep(_PAUSE_S)


def attempts_of(message: RabbitMessage) -> int:
    """How often this has failed before."""
    attempts = message.headers.get("attempts", 0)
    return attempts if isinstance(attempts, int) and attempts >= 0 else 0


def traceparent_of(message: RabbitMessage) -> str | None:
    """The trace that it belongs to."""
    value = message.headers.get("traceparent")
    return value if isinstance(value, str) else None


def _reasons(message: RabbitMessage, reason: str) -> dict[str, str | int]:
    headers: dict[str, str | int] = {"reason": reason, "attempts": attempts_of(message) + 1}
    traceparent = traceparent_of(message)
    return headers | ({"traceparent": traceparent} if traceparent else {})
