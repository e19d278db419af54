"""A change on its way: permitted, sent as a command, and answered as HTTP."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import Depends, Request
from shared.contracts.answers import Answer
from shared.contracts.commands import Action, Command
from shared.contracts.problems import ProblemCode
from shared.contracts.views import Operation
from shared.contracts.vocabulary import ALLOWED_ROLES, ActionKind
from shared.courier import NotSent, Unanswered
from shared.ids import keyed_id, new_id
from starlette.responses import Response
from starlette.types import Scope

from gateway import preferences, problems
from gateway.auth import Caller
from gateway.parts import Parts, caller_of, parts_of
from gateway.preferences import Preferences
from gateway.problems import Problem, unavailable
from gateway.receipts import Receipt

OPERATIONS: Final = "/api/v1/operations"
JSON: Final = "application/json"

_REFUSED: Final = 400
_CREATED: Final = 201


@dataclass(frozen=True, slots=True)
class Change:
    """One request for a change, whose shape is known to be good."""

    parts: Parts
    caller: Caller
    preferences: Preferences
    scope: Scope

    async def submit(self, action: Action, *, location: str | None = None) -> Response:
        """Do it, if the caller may. `location`: where what it creates is found, but for its id."""
        self.permit(action.kind)
        return await self.send(action, location=location)

    def permit(self, kind: ActionKind) -> None:
        """Raises 403 where the caller's role may not, 429 where its account asks too fast."""
        role = self.caller.actor.role
        if role not in ALLOWED_ROLES[kind]:
            raise Problem(ProblemCode.FORBIDDEN, f"The role {role} may not do this")
        self.parts.take_turn(self.caller)

    async def send(self, action: Action, *, location: str | None = None) -> Response:
        """Send what was permitted, and say what came of it."""
        accepted_at = _whole_milliseconds(self.parts.clock())
        command_id = self.scope["command_id"] = self._command_id()
        receipt = Receipt(command_id, accepted_at, self._fingerprint(action))
        try:
            answer = await self._ask(action, receipt)
        except Unanswered:
            return self._queued(receipt)
        except NotSent as error:
            raise unavailable("The change could not be queued; nothing was recorded for it yet") from error
        return self._answered(answer, location)

    def _command_id(self) -> UUID:
        key = self.preferences.key
        return keyed_id(self.caller.account_id, key) if key is not None else new_id()

    async def _ask(self, action: Action, receipt: Receipt) -> Answer:
        def command(ref: int) -> Command:
            return Command(
                ref=ref,
                command_id=receipt.command_id,
                account_id=self.caller.account_id,
                actor=self.caller.actor,
                fingerprint=receipt.fingerprint,
                if_match=self.preferences.if_match,
                issued_at=receipt.accepted_at,
                traceparent=self.scope["traceparent"],
                action=action,
            )

        longest = self.parts.settings.answer_timeout_s
        wait_s = self.preferences.wait_s
        return await self.parts.couriers.commands.ask(
            command,
            timeout_s=min(wait_s, longest) if wait_s else longest,
            until_confirmed=self.preferences.at_once,
        )

    def _fingerprint(self, action: Action) -> str:
        """What an Idempotency-Key is bound to. The action holds the body, and the ids of the path."""
        parts = (
            self.scope["method"],
            self.scope["path"],
            str(self.preferences.if_match),
            str(self.caller.actor.id),
            action.model_dump_json(),
        )
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()

    def _queued(self, receipt: Receipt) -> Response:
        operation_id = self.parts.receipts.write(receipt, account_id=self.caller.account_id)
        operation = Operation(operation_id=operation_id, status="pending", accepted_at=receipt.accepted_at)
        headers = {"Location": f"{OPERATIONS}/{operation_id}", "Retry-After": "1"} | self._applied()
        return Response(operation.model_dump_json(exclude_defaults=True), 202, headers, JSON)

    def _answered(self, answer: Answer, location: str | None) -> Response:
        headers = self._applied()
        if answer.replayed:
            headers["Idempotency-Replayed"] = "true"
        if answer.status >= _REFUSED:
            return refusal(self.scope, answer, headers=headers)
        if answer.status == _CREATED and location is not None:
            headers["Location"] = f"{location}/{answer.body['id']}"
        return shown(answer.body, status=answer.status, headers=headers)

    def _applied(self) -> dict[str, str]:
        applied = self.preferences.applied(longest_s=self.parts.settings.answer_timeout_s)
        return {"Preference-Applied": applied} if applied else {}


def _whole_milliseconds(moment: datetime) -> datetime:
    """As an operation id can hold it, so that a 202 and its operation agree."""
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)


def shown(body: dict[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer as it came, with the version it shows as its ETag."""
    version = body.get("state_version")
    etag = {} if version is None else {"ETag": f'"{version}"'}
    return Response(orjson.dumps(body), status, {**etag, **(headers or {})}, JSON)


def refusal(scope: Scope, answer: Answer, *, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal that a service behind decided, as a problem."""
    members = dict(answer.body)
    code = str(members.pop("code", ProblemCode.INTERNAL))
    detail = str(members.pop("detail", "No reason was given"))
    retry = {"Retry-After": str(problems.RETRY_AFTER_S)} if answer.status == 503 else {}  # noqa: PLR2004
    return problems.response(
        scope,
        code=code,
        status=answer.status,
        detail=detail,
        members=members,
        headers={**retry, **(headers or {})},
    )


async def _change(request: Request) -> Change:
    return Change(parts_of(request), caller_of(request), preferences.read(request.headers), request.scope)


RequestedChange = Annotated[Change, Depends(_change)]
