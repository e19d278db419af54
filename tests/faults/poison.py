"""Messages that can never be handled, sent among good ones; and a command that kills whoever takes it in hand."""

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
from aio_pika.abc import AbstractExchange
from gateway.receipts import Receipt, Receipts
from shared.contracts import topology
from shared.ids import keyed_id

from faults.client import SESSIONS
from faults.experiment import Scene
from faults.history import Expectation, Request, Result
from faults.injector import NotInTime
from faults.tenants import Account

TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_HUGE: Final = 10 << 20
_ANSWERED_S: Final = 15.0
_PARKED_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Broker:
    """The commands' exchange as two users, and what comes back to us."""

    gateway: AbstractExchange
    administrator: AbstractExchange
    replies: "asyncio.Queue[bytes]"
    reply_to: str


async def poison(scene: Scene) -> None:
    """Each bad message is parked with its reason; its neighbours are answered; its operation says parked."""
    account = scene.load.accounts[0]
    async with _broker(scene) as broker, scene.injector.noted("poison"):
        await _unreadable(scene, broker)
        stranger = _command(account, _creation(account), ref=1)
        await _publish(broker.administrator, [stranger], user="admin")
        malformed = _command(account, {**_creation(account), "kind": "record_outcome"}, ref=99)
        await _answered_all_the_same(scene, broker, account, among=malformed)
        huge = _command(account, {**_creation(account), "title": "x" * _HUGE}, ref=1)
        await _publish(broker.gateway, [huge])
        for command, reason in ((stranger, "who may not"), (malformed, "action"), (huge, "action")):
            scene.injector.history.expect_parked(Expectation(command["command_id"], reason))
        for command in (stranger, malformed, huge):
            await _says_parked(scene, account, UUID(command["command_id"]), within_s=_ANSWERED_S)


async def deadly_command(scene: Scene) -> None:
    """A worker that dies of a command more often than the limit allows: the command is parked, and not gone."""
    account = scene.load.accounts[0]
    key = f"deadly-{uuid4()}"
    command_id = keyed_id(UUID(account.id), key)
    async with scene.injector.deadly(str(command_id)):
        scene.injector.history.expect_parked(Expectation(str(command_id), "delivery_limit"))
        body = {**_creation(account), "session_type": "chat"}
        del body["kind"]
        request = scene.load.request(
            "deadly", account, "create_session", "POST", SESSIONS, body=body, key=key, at_once=True
        )
        sent = await scene.load.call(request, account.token)
        assert sent.queued, f"{sent} was to be queued"
        await _says_parked(scene, account, command_id, within_s=_PARKED_S, about=request.number)


async def _unreadable(scene: Scene, broker: _Broker) -> None:
    for mark, body, reason in (
        (f"no-json-{uuid4()}", "{mark} {{", "not JSON"),
        (f"version-{uuid4()}", '{{"version": 7, "commands": [{{"x": "{mark}"}}]}}', "version"),
    ):
        scene.injector.history.expect_parked(Expectation(mark, reason))
        await _send(broker.gateway, body.format(mark=mark).encode(), user="gateway")


async def _answered_all_the_same(
    scene: Scene, broker: _Broker, account: Account, *, among: dict[str, Any]
) -> None:
    """Two good commands before and after a malformed one."""
    asked: dict[int, tuple[Request, float]] = {}
    good = []
    for ref in (1, 2):
        action = _creation(account)
        key = f"neighbour-{uuid4()}"
        request = scene.load.request("neighbour", account, "create_session", "AMQP", SESSIONS, key=key)
        asked[ref] = request, scene.injector.history.invoke(request)
        id_ = str(keyed_id(UUID(account.id), key))
        good.append({**_command(account, action, ref=ref), "command_id": id_})
    await _publish(broker.gateway, [good[0], among, good[1]], reply_to=broker.reply_to)
    async with asyncio.timeout(_ANSWERED_S):
        while asked:
            for answer in orjson.loads(await broker.replies.get())["answers"]:
                request, began = asked.pop(answer["ref"])
                result = Result(status=answer["status"], answer=answer["body"])
                scene.injector.history.complete(request, result, began=began)


async def _says_parked(
    scene: Scene, account: Account, command_id: UUID, *, within_s: float, about: int | None = None
) -> None:
    receipts = Receipts(scene.stage.stack.state.secret("operations"))
    operation = receipts.write(Receipt(command_id, datetime.now(UTC)), account_id=UUID(account.id))
    path = f"/api/v1/operations/{operation}"
    try:
        async with asyncio.timeout(within_s):
            while True:
                request = scene.load.request("operator", account, "operation", "GET", path, about=about)
                seen = await scene.load.call(request, account.token)
                if seen.accepted and seen.result.answer.get("parked"):
                    return
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise NotInTime(f"the operation of {command_id} does not say that it is parked") from error


def _creation(account: Account) -> dict[str, Any]:
    text = f"{account.mark} reports that the scanner is offline"
    return {"kind": "create_session", "intake_type": "free_text", "intake_content": {"text": text}}


def _command(account: Account, action: dict[str, Any], *, ref: int) -> dict[str, Any]:
    return {
        "ref": ref,
        "command_id": str(uuid4()),
        "account_id": account.id,
        "actor": {"id": str(uuid4()), "name": "Neighbour", "role": "engineer"},
        "fingerprint": "poison",
        "issued_at": datetime.now(UTC).isoformat(),
        "traceparent": TRACE,
        "action": action,
    }


async def _publish(exchange: AbstractExchange, commands: Sequence[Any], **more: Any) -> None:
    await _send(exchange, orjson.dumps({"version": 1, "commands": commands}), **more)


async def _send(
    exchange: AbstractExchange, body: bytes, *, user: str = "gateway", reply_to: str | None = None
) -> None:
    message = Message(
        body,
        user_id=user,
        reply_to=reply_to,
        headers={"traceparent": TRACE},
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
    )
    await exchange.publish(message, routing_key=topology.FIX_OUTCOMES_COMMANDS.key)


@asynccontextmanager
async def _broker(scene: Scene) -> AsyncIterator[_Broker]:
    gateway = await aio_pika.connect(scene.stage.user_url("gateway"))
    administrator = await aio_pika.connect(scene.stage.addresses.amqp_url)
    async with gateway, administrator:
        ours = await administrator.channel()
        queue = await ours.declare_queue(exclusive=True)
        await queue.bind(topology.REPLIES, routing_key=queue.name)
        replies: asyncio.Queue[bytes] = asyncio.Queue()

        async def keep(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            replies.put_nowait(message.body)

        await queue.consume(keep, no_ack=True)
        theirs = await (await gateway.channel()).get_exchange(topology.COMMANDS, ensure=False)
        yield _Broker(
            gateway=theirs,
            administrator=await ours.get_exchange(topology.COMMANDS, ensure=False),
            replies=replies,
            reply_to=f"{queue.name}|{topology.REPLIES}",
        )
