"""The gateway in the simulation: its own routes, called as the framework would call them, without HTTP and tokens."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi.routing import APIRoute
from gateway import preferences, problems
from gateway.auth import Caller
from gateway.cache import NoteCache
from gateway.changes import Change
from gateway.courier import Couriers
from gateway.pace import Pace
from gateway.parts import Parts
from gateway.problems import Problem
from gateway.reads import Read
from gateway.receipts import Receipts
from gateway.routes import fixes, operations, previews, sessions
from gateway.settings import Settings
from gateway.updates import Updates
from pydantic import BaseModel
from shared.contracts.views import Actor
from shared.contracts.vocabulary import Role
from starlette.datastructures import Headers
from starlette.responses import Response

from faults.gateways import headers_of
from faults.history import Request, Result
from faults.simulation.world import World

_AMQP, _REDIS = "amqp://nowhere", "redis://nowhere"
_TRACE: Final = "0" * 32


class Gateway:
    """One replica."""

    def __init__(self, world: World, replica: str) -> None:
        settings = _settings().model_copy(update={"replica": replica})
        self.parts = Parts(
            settings=settings,
            clock=world.now,
            couriers=Couriers.of(settings),
            notes=NoteCache.of(settings),
            pace=Pace(per_s=1e9, burst=1e9, now=world.loop.time),
            receipts=Receipts(settings.operation_key.get_secret_value()),
            updates=Updates(url=_AMQP, replica=replica, viewers=1, viewers_each=1, buffer=1),
        )

    async def run(self) -> None:
        """Connect; what comes back after a loss comes back by itself."""
        await self.parts.couriers.start()

    async def answer(self, request: Request) -> Result:
        """The answer to a request."""
        scope: dict[str, Any] = {
            "method": request.method,
            "path": request.path,
            "trace_id": _TRACE,
            "traceparent": None,
        }
        try:
            response = await self._respond(request, scope)
        except Problem as problem:
            response = problems.of(scope, problem)
        return _result(response)

    async def _respond(self, request: Request, scope: dict[str, Any]) -> Response:
        route, places = _found(request)
        caller = Caller(UUID(request.account), _person(request.account), float("inf"))
        headers = Headers(headers_of(request))
        parts: dict[str, Callable[[], object]] = {
            "change": lambda: Change(self.parts, caller, preferences.read(headers), scope),
            "read": lambda: Read(self.parts, caller, scope),
        }
        given = {name: parts[name]() for name in route.needs if name in parts}
        if route.body is not None:
            name, model = route.body
            given[name] = model.model_validate(request.body or {})
        response: Response = await route.endpoint(**places, **given)
        return response


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: re.Pattern[str]
    endpoint: Callable[..., Any]
    needs: frozenset[str]
    body: tuple[str, type[BaseModel]] | None

    @classmethod
    def of(cls, route: APIRoute) -> Iterator["_Route"]:
        signature = inspect.signature(route.endpoint)
        bodies = [
            (name, parameter.annotation)
            for name, parameter in signature.parameters.items()
            if inspect.isclass(parameter.annotation) and issubclass(parameter.annotation, BaseModel)
        ]
        for method in sorted(route.methods or ()):
            needs = frozenset(signature.parameters)
            yield cls(method, route.path_regex, route.endpoint, needs, bodies[0] if bodies else None)


@cache
def _routes() -> tuple[_Route, ...]:
    routers = (sessions.router, fixes.router, previews.router, operations.router)
    return tuple(
        found
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for found in _Route.of(route)
    )


def _found(request: Request) -> tuple[_Route, dict[str, object]]:
    for route in _routes():
        if route.method == request.method and (match := route.path.match(request.path)):
            places = match.groupdict()
            return route, {
                k: UUID(v) if k.endswith(("session_id", "fix_id")) else v for k, v in places.items()
            }
    raise NotImplementedError(f"{request.method} {request.path}")


@cache
def _settings() -> Settings:
    return Settings.model_validate(
        {
            "amqp_url": _AMQP,
            "redis_url": _REDIS,
            "operation_key": "of all gateways alike",
            "jwt_secret": "that nobody here signs anything with",
            "answer_timeout_s": 5.0,
            "preview_timeout_s": 8.0,
            "port": 1,
        }
    )


@cache
def _person(account: str) -> Actor:
    return Actor(id=UUID(account), name="Engineer", role=Role.ENGINEER)


def _result(response: Response) -> Result:
    queued = response.status_code == 202
    return Result(
        status=response.status_code,
        answer=orjson.loads(response.body) if response.body else None,
        replayed=response.headers.get("idempotency-replayed") == "true",
        retry_after=response.headers.get("retry-after"),
        location=response.headers.get("location") if queued else None,
    )
