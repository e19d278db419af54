"""What `create_app` made, as the routes see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from gateway.auth import Caller
from gateway.cache import NoteCache
from gateway.courier import Couriers
from gateway.pace import Pace
from gateway.problems import too_many
from gateway.receipts import Receipts
from gateway.settings import Settings
from gateway.updates import Updates


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a route works with."""

    settings: Settings
    clock: Callable[[], datetime]
    couriers: Couriers
    notes: NoteCache
    pace: Pace
    receipts: Receipts
    updates: Updates

    def take_turn(self, caller: Caller) -> None:
        """Raises 429 where the caller's account asks faster than it may."""
        wait_s = self.pace.wait_s(caller.account_id)
        if wait_s:
            raise too_many("Your account asks too fast", wait_s=wait_s)


def parts_of(request: Request) -> Parts:
    """The parts of the app that received this request."""
    parts: Parts = request.app.state.parts
    return parts


def caller_of(request: Request) -> Caller:
    """Who calls; the middleware has verified the token."""
    caller: Caller = request.scope["caller"]
    return caller


async def _parts(request: Request) -> Parts:
    return parts_of(request)


GatewayParts = Annotated[Parts, Depends(_parts)]
