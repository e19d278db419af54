"""The short way for the one request that there are most of: a well-formed `PATCH …/outcome`.

Routing and dependency solving cost more than all else that the gateway does for it. What is not plainly well-formed
takes the ordinary way, so there is one place that refuses; a contract test holds the two together.
"""

import re
from typing import Final
from uuid import UUID

from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import preferences, problems
from gateway.changes import JSON, Change
from gateway.parts import Parts
from gateway.problems import Problem
from gateway.routes.fixes import record
from gateway.schemas import RecordedOutcome

_UUID: Final = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
_PATH: Final = re.compile(f"/api/v1/ai-sessions/{_UUID}/suggested-fixes/{_UUID}/outcome")


class OutcomeLane:
    """Answers well-formed outcomes itself, and passes everything else on untouched."""

    path: Final = "/api/v1/ai-sessions/{session_id}/suggested-fixes/{fix_id}/outcome"

    def __init__(self, app: ASGIApp, *, parts: Parts) -> None:
        self._app, self._parts = app, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _PATH.fullmatch(scope["path"]) if scope.get("method") == "PATCH" else None
        headers = Headers(scope=scope) if found else None
        if found is None or headers is None or headers.get("content-type") != JSON:
            await self._app(scope, receive, send)
            return
        try:
            outcome = RecordedOutcome.model_validate_json(scope.get("body", b""))
        except ValidationError:
            await self._app(scope, receive, send)
            return
        scope["route"] = self
        answer = await self._record(scope, headers, UUID(found[1]), UUID(found[2]), outcome)
        await answer(scope, receive, send)

    async def _record(
        self, scope: Scope, headers: Headers, session_id: UUID, fix_id: UUID, outcome: RecordedOutcome
    ) -> Response:
        try:
            change = Change(self._parts, scope["caller"], preferences.read(headers), scope)
            return await record(change, session_id, fix_id, outcome)
        except Problem as problem:
            return problems.of(scope, problem)
