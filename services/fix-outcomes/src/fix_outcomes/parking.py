"""What is done with a command that failed: put off for a while, and in the end parked for an operator."""

from typing import Any, Final

from aio_pika.abc import AbstractIncomingMessage
from shared.contracts import topology
from shared.contracts.commands import Command, CommandBatch
from shared.ids import new_id
from shared.logs import logger
from shared.publisher import Publisher

_ATTEMPTS: Final = "attempts"

log = logger(__name__)


class Parking:
    """Publishes to the wait queues and to parking, confirmed; raises `NotPublished` where that fails."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def put_off(self, source: AbstractIncomingMessage, command: Command, *, reason: str) -> None:
        """Try this command again later; after the last delay of the ladder, park it."""
        attempt = attempts_of(source)
        body = CommandBatch(commands=(command,)).model_dump_json().encode()
        if attempt >= len(topology.RETRY_DELAYS_S):
            log.error("a command is parked", command=str(command.command_id), reason=reason)
            await self.park(source, body, reason=reason, trace=command.traceparent)
            return
        queue = topology.FIX_OUTCOMES_COMMANDS.wait(topology.RETRY_DELAYS_S[attempt])
        await self._publisher.publish(
            body,
            exchange=topology.RETRIES,
            routing_key=queue,
            message_id=str(new_id()),
            mandatory=True,
            reply_to=source.reply_to,
            headers=_headers(attempts=attempt + 1, reason=reason, trace=command.traceparent),
        )

    async def park(
        self, source: AbstractIncomingMessage, body: bytes, *, reason: str, trace: str | None = None
    ) -> None:
        """Leave it to an operator: nothing will try it again by itself."""
        await self._publisher.publish(
            body,
            exchange=topology.DEAD_LETTERS,
            routing_key=topology.FIX_OUTCOMES_COMMANDS.key,
            message_id=str(new_id()),
            mandatory=True,
            reply_to=source.reply_to,
            headers=_headers(
                attempts=attempts_of(source) + 1,
                reason=reason,
                trace=trace or trace_of(source),
                user=source.user_id,
            ),
        )


def attempts_of(message: AbstractIncomingMessage) -> int:
    """How often the ladder has put this message off."""
    attempts = message.headers.get(_ATTEMPTS, 0)
    return attempts if isinstance(attempts, int) else 0


def trace_of(message: AbstractIncomingMessage) -> str | None:
    """The message's W3C trace context, where it has one."""
    trace = message.headers.get("traceparent")
    return str(trace) if trace else None


def _headers(*, attempts: int, reason: str, trace: str | None, user: str | None = None) -> dict[str, Any]:
    headers = {_ATTEMPTS: attempts, "reason": reason, "traceparent": trace, "published-by": user}
    return {name: value for name, value in headers.items() if value is not None}
