"""Messages made by hand, as the users of services and as the administrator, and what comes back to them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

import aio_pika
import orjson
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from shared.contracts import topology
from shared.ids import keyed_id

from faults.client import SESSIONS
from faults.experiment import Scene
from faults.history import Request, Result
from faults.tenants import Account

FINGERPRINT: Final = "0" * 32
TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ADMINISTRATOR: Final = "admin"
ANSWERED_S: Final = 15.0


def creation(account: Account) -> dict[str, Any]:
    """What a session is made of."""
    text = f"{account.mark} reports that the scanner is offline"
    return {"kind": "create_session", "intake_type": "free_text", "intake_content": {"text": text}}


def command(account: Account, action: dict[str, Any], *, ref: int = 1) -> dict[str, Any]:
    """A command as a gateway writes it."""
    return {
        "ref": ref,
        "command_id": str(uuid4()),
        "account_id": account.id,
        "actor": {"id": str(uuid4()), "name": "Neighbour", "role": "engineer"},
        "fingerprint": FINGERPRINT,
        "issued_at": datetime.now(UTC).isoformat(),
        "traceparent": TRACE,
        "action": action,
    }


@dataclass(frozen=True, slots=True)
class Hands:
    """A channel for each user."""

    scene: Scene
    channels: dict[str, AbstractChannel]
    replies: "asyncio.Queue[bytes]"
    reply_to: str

    async def publish(
        self,
        commands: Sequence[dict[str, Any]],
        *,
        user: str = "gateway",
        reply_to: str | None = None,
        **more: Any,
    ) -> None:
        """A batch of commands; `more` are members of the batch that do not belong there."""
        body = orjson.dumps({"version": 1, "commands": commands, **more})
        await self.send(body, user=user, reply_to=reply_to)

    async def send(
        self,
        body: bytes,
        *,
        user: str = "gateway",
        exchange: str = topology.COMMANDS,
        key: str = topology.FIX_OUTCOMES_COMMANDS.key,
        reply_to: str | None = None,
        content_type: str = "application/json",
    ) -> None:
        """Any message, as this user."""
        message = Message(
            body,
            user_id=user,
            reply_to=reply_to,
            headers={"traceparent": TRACE},
            content_type=content_type,
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        target = await self.channels[user].get_exchange(exchange, ensure=False)
        await target.publish(message, routing_key=key)

    async def answered(
        self, good: Sequence[dict[str, Any]], *, among: Sequence[dict[str, Any]] = (), **more: Any
    ) -> None:
        """Publish good commands with others between them; each good one is answered, and in the history."""
        asked: dict[int, tuple[Request, float]] = {}
        batch = []
        for ref, each in enumerate(good, 1):
            key = f"by-hand-{uuid4()}"
            account = next(a for a in self.scene.load.accounts if a.id == each["account_id"])
            request = self.scene.load.request("by hand", account, "create_session", "AMQP", SESSIONS, key=key)
            asked[ref] = request, self.scene.injector.history.invoke(request)
            batch.append({**each, "ref": ref, "command_id": str(keyed_id(UUID(account.id), key))})
        await self.publish([*batch[:1], *among, *batch[1:]], reply_to=self.reply_to, **more)
        async with asyncio.timeout(ANSWERED_S):
            while asked:
                for answer in orjson.loads(await self.replies.get())["answers"]:
                    request, began = asked.pop(answer["ref"])
                    result = Result(status=answer["status"], answer=answer["body"])
                    attempt = self.scene.injector.history.complete(request, result, began=began)
                    assert attempt.accepted, f"{attempt}: {answer['body']}"


@asynccontextmanager
async def by_hand(scene: Scene) -> AsyncIterator[Hands]:
    """Connected as a gateway, as fix-outcomes and as the administrator, who hears the answers."""
    urls = {user: scene.stage.user_url(user) for user in ("gateway", "fix-outcomes")}
    urls[ADMINISTRATOR] = scene.stage.addresses.amqp_url
    connections = {user: await aio_pika.connect(url) for user, url in urls.items()}
    try:
        channels = {user: await connection.channel() for user, connection in connections.items()}
        queue = await channels[ADMINISTRATOR].declare_queue(exclusive=True)
        await queue.bind(topology.REPLIES, routing_key=queue.name)
        replies: asyncio.Queue[bytes] = asyncio.Queue()

        async def keep(message: AbstractIncomingMessage) -> None:
            replies.put_nowait(message.body)

        await queue.consume(keep, no_ack=True)
        yield Hands(scene, channels, replies, f"{queue.name}|{topology.REPLIES}")
    finally:
        for connection in connections.values():
            await connection.close()
