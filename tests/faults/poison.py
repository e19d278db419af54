"""Messages that can never be handled, sent among good ones; and a command that kills whoever takes it in hand."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from gateway.receipts import Receipt, Receipts
from places import altered
from shared.contracts import topology
from shared.contracts.vocabulary import Service
from shared.ids import keyed_id
from shared.parked import Parked, ParkingLot

from faults.client import SESSIONS
from faults.experiment import Scene
from faults.handmade import ADMINISTRATOR, ANSWERED_S, FINGERPRINT, Hands, by_hand, command, creation
from faults.history import Attempt, Expectation
from faults.injector import NotInTime
from faults.tenants import Account

_HUGE: Final = 10 << 20
_PARKED_S: Final = 60.0


async def poison(scene: Scene) -> None:
    """Each bad message is parked with its reason; its neighbours are answered; its operation says parked."""
    account = scene.load.accounts[0]
    good = command(account, creation(account))
    stranger, malformed, huge = (command(account, creation(account), ref=99) for _ in range(3))
    malformed["action"]["kind"], huge["action"]["title"] = "record_outcome", "x" * _HUGE
    async with by_hand(scene) as hands, scene.injector.noted("poison"):
        await _unreadable(scene, hands)
        await hands.publish([stranger], user=ADMINISTRATOR)
        await hands.answered([good, good], among=[malformed])
        await hands.publish([huge])
        for bad, reason in ((stranger, "who may not"), (malformed, "action"), (huge, "action")):
            scene.injector.history.expect_parked(Expectation(bad["command_id"], reason))
        for bad in (stranger, malformed, huge):
            await _says_parked(scene, account, UUID(bad["command_id"]), within_s=ANSWERED_S)


async def deadly_command(scene: Scene) -> None:
    """A worker that dies of a command more often than the limit allows: the command is parked, and not gone.

    Each time the broker puts it behind all that waits: the less that is, the sooner it kills again.
    """
    account = scene.load.accounts[0]
    key = f"deadly-{uuid4()}"
    command_id = keyed_id(UUID(account.id), key)
    async with scene.injector.deadly(str(command_id)):
        with scene.load.unhurried():
            scene.injector.history.expect_parked(Expectation(str(command_id), "delivery_limit"))
            body = {**creation(account), "session_type": "chat"}
            del body["kind"]
            request = scene.load.request(
                "deadly", account, "create_session", "POST", SESSIONS, body=body, key=key, at_once=True
            )
            sent = await scene.load.call(request, account.token)
            assert sent.queued, f"{sent} was to be queued"
            await _says_parked(scene, account, command_id, within_s=_PARKED_S, sent=sent)


async def refused_by_the_database(scene: Scene) -> None:
    """A command whose handler always raises is parked, and its neighbours are not; mended and replayed, it succeeds."""
    account = scene.load.accounts[0]
    key, words = f"refused-{uuid4()}", f"{account.mark} {uuid4()}"
    command_id = keyed_id(UUID(account.id), key)
    constraint = f"alter table messages add constraint refused check (content <> '{words}') not valid"
    async with scene.injector.noted("one command fails whenever it is tried"):
        async with altered(
            scene.stage.addresses.database_url, constraint, "alter table messages drop constraint refused"
        ):
            request = scene.load.request(
                "refused",
                account,
                "add_message",
                "POST",
                f"{SESSIONS}/{account.sessions[0]}/messages",
                session=account.sessions[0],
                body={"role": "engineer", "content": words},
                key=key,
                at_once=True,
            )
            sent = await scene.load.call(request, account.token)
            assert sent.queued, f"{sent} was to be queued"
            await _says_parked(scene, account, command_id, within_s=_PARKED_S, sent=sent)
        await _replayed(scene, str(command_id))
        await _says(
            scene,
            account,
            command_id,
            lambda told: bool(told["status"] == "succeeded"),
            within_s=ANSWERED_S,
            sent=sent,
        )


async def _replayed(scene: Scene, mark: str) -> None:
    """As an operator does it, and once too often: that does no harm."""
    lot = ParkingLot(
        url=scene.stage.user_url(Service.FIX_OUTCOMES),
        queue=topology.FIX_OUTCOMES_COMMANDS,
        user=Service.FIX_OUTCOMES,
    )

    def wanted(parked: Parked) -> bool:
        return mark.encode() in parked.body

    assert len(await lot.replay(wanted)) == 1, f"{mark} is not parked once"
    assert await lot.replay(wanted) == []


async def _unreadable(scene: Scene, hands: Hands) -> None:
    mark = f"no-changes-{uuid4()}"
    scene.injector.history.expect_parked(Expectation(mark, "malformed"))
    await hands.send(
        f"{{{mark}".encode(),
        user="fix-outcomes",
        exchange=topology.CHANGES,
        key=topology.NOTE_GENERATOR_STATE_CHANGES.key,
    )
    for mark, body, reason in (
        (f"no-json-{uuid4()}", "{mark} {{", "not JSON"),
        (f"version-{uuid4()}", '{{"version": 7, "commands": [{{"x": "{mark}"}}]}}', "version"),
    ):
        scene.injector.history.expect_parked(Expectation(mark, reason))
        await hands.send(body.format(mark=mark).encode())


def _operation(scene: Scene, account: Account, command_id: UUID) -> str:
    receipts = Receipts(scene.stage.stack.state.secret("operations"))
    receipt = receipts.write(Receipt(command_id, datetime.now(UTC), FINGERPRINT), account_id=UUID(account.id))
    return f"/api/v1/operations/{receipt}"


async def _says_parked(scene: Scene, account: Account, command_id: UUID, **more: Any) -> None:
    await _says(scene, account, command_id, lambda told: bool(told.get("parked")), **more)


async def _says(
    scene: Scene,
    account: Account,
    command_id: UUID,
    wanted: Callable[[dict[str, Any]], bool],
    *,
    within_s: float,
    sent: Attempt | None = None,
) -> None:
    """Ask after an operation, where `sent` was told to or of our own making, until it says what is wanted.

    Raises NotInTime.
    """
    about = sent.request.number if sent else None
    path = (sent and sent.result.location) or _operation(scene, account, command_id)
    try:
        async with asyncio.timeout(within_s):
            while True:
                request = scene.load.request("operator", account, "operation", "GET", path, about=about)
                seen = await scene.load.call(request, account.token)
                if seen.accepted and wanted(seen.result.answer):
                    return
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise NotInTime(f"the operation of {command_id} does not say what it must") from error
