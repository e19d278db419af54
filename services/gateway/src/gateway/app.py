"""The gateway, put together. Nothing is made at import; everything is made here."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway import docs, page, problems
from gateway.auth import Verifier
from gateway.bodies import Bound
from gateway.cache import NoteCache
from gateway.courier import Couriers
from gateway.lane import OutcomeLane
from gateway.metrics import Metrics
from gateway.middleware import Authenticate, Observe
from gateway.pace import Pace
from gateway.parts import Parts
from gateway.receipts import Receipts
from gateway.routes import events, fixes, messages, operations, previews, sessions, sign_in, verifications
from gateway.settings import Settings
from gateway.updates import Updates
from shared import health

_ROUTERS: Final = (
    sessions.router,
    fixes.router,
    verifications.router,
    previews.router,
    events.router,
    operations.router,
    messages.router,
    sign_in.router,
)
_TAGS: Final = [
    {"name": "sessions", "description": "Troubleshooting conversations"},
    {"name": "fixes", "description": "Suggested fixes and what came of them"},
    {"name": "notes", "description": "The resolution note and the escalation package"},
    {"name": "events", "description": "What happens, as it happens"},
    {"name": "operations", "description": "Changes that were queued"},
]
_CLOSING_S: Final = 2.0
"""Of the time to finish, what is left for closing connections."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = _utc_now,
    couriers: Couriers | None = None,
    notes: NoteCache | None = None,
) -> FastAPI:
    """The gateway that these settings describe. It connects when its lifespan begins.

    `couriers` and `notes` replace what the settings describe, where a test has no broker and no Redis.
    """
    parts = _parts(
        settings, clock, couriers=couriers or Couriers.of(settings), notes=notes or NoteCache.of(settings)
    )
    metrics = Metrics(couriers=parts.couriers, updates=parts.updates, notes=parts.notes)
    app = FastAPIOffline(
        title="ResolutionFlow fix outcomes",
        version=version("gateway"),
        description=docs.DESCRIPTION,
        openapi_tags=_TAGS,
        redoc_url=None,
        static_url="/docs/files",
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        generate_unique_id_function=lambda route: route.name,
        lifespan=_lifespan,
    )
    app.state.parts = parts
    for router in _ROUTERS:
        app.include_router(router)
    for path, endpoint in health.routes(_readiness(parts), registry=metrics.registry):
        app.router.routes.append(Route(path, _Asgi(endpoint), methods=["GET"]))
    if settings.page_dir is not None:
        app.router.routes.extend(page.routes(settings.page_dir))
    problems.install(app)
    docs.install(app)
    app.add_middleware(OutcomeLane, parts=parts)
    app.add_middleware(Bound, longest=settings.max_body_bytes, patience_s=settings.body_timeout_s)
    app.add_middleware(Authenticate, verifier=Verifier.of(settings, now=lambda: clock().timestamp()))
    app.add_middleware(Observe, metrics=metrics)
    return app


def _parts(
    settings: Settings, clock: Callable[[], datetime], *, couriers: Couriers, notes: NoteCache
) -> Parts:
    return Parts(
        settings=settings,
        clock=clock,
        couriers=couriers,
        notes=notes,
        pace=Pace(per_s=settings.rate_per_s, burst=settings.rate_burst, now=time.monotonic),
        receipts=Receipts(settings.operation_key.get_secret_value()),
        updates=Updates(
            url=settings.amqp_url.get_secret_value(),
            replica=settings.replica,
            viewers=settings.sse_viewers,
            viewers_each=settings.sse_viewers_each,
            buffer=settings.sse_buffer,
        ),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    parts.updates.start()
    await parts.couriers.start()
    try:
        yield
    finally:
        await asyncio.gather(parts.couriers.stop(), parts.updates.stop(), parts.notes.close())


async def drain(app: FastAPI) -> None:
    """Begin to end: not ready any more, and streams end. Returns when no more requests should come."""
    parts: Parts = app.state.parts
    parts.updates.end()
    await asyncio.sleep(parts.settings.drain_s)


async def give_up_previews(app: FastAPI) -> None:
    """Answer the previews that would take longer than there is time to shut down."""
    parts: Parts = app.state.parts
    await asyncio.sleep(max(parts.settings.finish_s - _CLOSING_S, 0))
    await parts.couriers.previews.stop()


def _readiness(parts: Parts) -> health.Readiness:
    async def readiness() -> Mapping[str, bool]:
        return {
            "commands": parts.couriers.commands.ready,
            "queries": parts.couriers.queries.ready,
            "serving": not parts.updates.ending.is_set(),
        }

    return readiness


class _Asgi:
    """A plain ASGI endpoint; a bare function would be taken for one of Starlette's."""

    def __init__(self, endpoint: health.Endpoint) -> None:
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._endpoint(scope, receive, send)
