"""The API as its users call it: a person of an account, and the answers that they get."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from shared.contracts.views import ChatMessage, Fact, Fix, HistoryEntry, Operation, Session, SessionWithFixes

SESSIONS = "/api/v1/ai-sessions"
INTAKE = "No internet at reception since this morning; the router reboots on its own."
FIX = {"title": "Update the firmware", "description": "Install 3.2.1, then restart.", "confidence_pct": 80}
PROPOSAL = {"outcome": "success", "reason": "Client: the internet is back"}

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """One answer. `fix`, `session` and the like read it as what the call promises, and fail if it is not."""

    response: httpx.Response = field(repr=False)

    def __repr__(self) -> str:
        request = self.response.request
        return f"<{request.method} {request.url.path}: {self.status} {self.response.text[:500]}>"

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def accepted(self) -> bool:
        return self.status in (200, 201)

    @property
    def headers(self) -> httpx.Headers:
        return self.response.headers

    @property
    def body(self) -> dict[str, Any]:
        body = self.response.json()
        assert isinstance(body, dict), self
        return body

    @property
    def code(self) -> str | None:
        """The stable code of a refusal."""
        return self.body.get("code")

    @property
    def replayed(self) -> bool:
        return bool(self.headers.get("Idempotency-Replayed") == "true")

    @property
    def fix(self) -> Fix:
        return Fix.model_validate(self.good())

    @property
    def session(self) -> Session:
        return Session.model_validate(self.good())

    @property
    def fact(self) -> Fact:
        return Fact.model_validate(self.good())

    @property
    def message(self) -> ChatMessage:
        return ChatMessage.model_validate(self.good())

    @property
    def operation(self) -> Operation:
        assert self.status in (200, 202), self
        return Operation.model_validate(self.body)

    @property
    def items(self) -> list[dict[str, Any]]:
        return list(self.good()["items"])

    def good(self) -> dict[str, Any]:
        """The body of an answer that is no refusal."""
        assert self.accepted, self
        return self.body


@dataclass(frozen=True)
class Person:
    """Somebody with a token, who asks one gateway after the other. Changes that need no answer return the id."""

    http: httpx.AsyncClient = field(repr=False)
    token: str = field(repr=False)
    account_id: UUID
    gateways: Sequence[str]
    _next: Iterator[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_next", itertools.cycle(self.gateways))

    async def ask(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        key: str | None = None,
        if_match: int | None = None,
        prefer: str | None = None,
        **more: Any,
    ) -> Answer:
        """Any request; `key`, `if_match` and `prefer` are its headers, `more` is for httpx."""
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        if prefer is not None:
            headers["Prefer"] = prefer
        if body is not None:
            more["json"] = body
        return Answer(await self.http.request(method, self.address(path), headers=headers, **more))

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Body | None = None, **more: Any) -> Answer:
        return await self.ask("POST", path, body, **more)

    def address(self, path: str) -> str:
        """The path at the gateway whose turn it is."""
        return f"{next(self._next)}{path}"

    async def open_session(self, text: str = INTAKE, **fields: Any) -> UUID:
        content = {"session_type": "chat", "intake_type": "free_text", "intake_content": {"text": text}}
        return (await self.post(SESSIONS, {**content, **fields})).session.id

    async def session(self, session_id: UUID) -> SessionWithFixes:
        return SessionWithFixes.model_validate((await self.get(f"{SESSIONS}/{session_id}")).good())

    async def version(self, session_id: UUID) -> int:
        """The session's state_version."""
        return (await self.session(session_id)).state_version

    async def confirm(self, session_id: UUID, text: str = "The line has sync", **more: Any) -> Answer:
        return await self.post(f"{SESSIONS}/{session_id}/facts", {"text": text}, **more)

    async def say(self, session_id: UUID, content: str, role: str = "engineer") -> Answer:
        return await self.post(f"{SESSIONS}/{session_id}/messages", {"role": role, "content": content})

    async def suggest(self, session_id: UUID, **fields: Any) -> Fix:
        return (await self.post(f"{SESSIONS}/{session_id}/suggested-fixes", {**FIX, **fields})).fix

    async def suggested_fix(self) -> Fix:
        """A fix in a session of its own."""
        return await self.suggest(await self.open_session())

    async def applied_fix(self) -> Fix:
        """A fix that was applied and has no verdict."""
        return (await self.apply(await self.suggested_fix())).fix

    async def fix(self, fix: Fix) -> Fix:
        """It, as it is now."""
        return (await self.show(fix)).fix

    async def show(self, fix: Fix) -> Answer:
        return await self.get(fix_path(fix))

    async def record(self, fix: Fix, outcome: str, notes: str | None = None, **more: Any) -> Answer:
        body = {"outcome": outcome} if notes is None else {"outcome": outcome, "notes": notes}
        return await self.ask("PATCH", f"{fix_path(fix)}/outcome", body, **more)

    async def apply(self, fix: Fix, **more: Any) -> Answer:
        return await self.post(f"{fix_path(fix)}/apply", **more)

    async def propose(self, fix: Fix, **fields: Any) -> Answer:
        return await self.ask("PUT", f"{fix_path(fix)}/ai-outcome-proposal", {**PROPOSAL, **fields})

    async def clear_proposal(self, fix: Fix) -> Answer:
        return await self.ask("DELETE", f"{fix_path(fix)}/ai-outcome-proposal")

    async def resolve(self, session_id: UUID) -> Answer:
        return await self.post(f"{SESSIONS}/{session_id}/resolve")

    async def escalate(self, session_id: UUID) -> Answer:
        return await self.post(f"{SESSIONS}/{session_id}/escalate")

    async def preview(self, session_id: UUID, document: str = "resolution-note") -> Answer:
        return await self.post(f"{SESSIONS}/{session_id}/{document}/preview", timeout=65)

    async def history(self, session_id: UUID) -> list[HistoryEntry]:
        """Every change of the session, oldest first."""
        return await self._entries(f"{SESSIONS}/{session_id}/history")

    async def transitions(self, fix: Fix) -> list[HistoryEntry]:
        return await self._entries(f"{fix_path(fix)}/transitions")

    async def pages(self, path: str, **query: Any) -> list[list[dict[str, Any]]]:
        """Every page of a list, from the first to the last."""
        pages, cursor = [], None
        while True:
            asked = query if cursor is None else {**query, "cursor": cursor}
            page = (await self.get(path, params=asked)).good()
            pages.append(page["items"])
            cursor = page["next_cursor"]
            if cursor is None:
                return pages

    async def _entries(self, path: str) -> list[HistoryEntry]:
        pages = await self.pages(path, limit=200)
        return [HistoryEntry.model_validate(entry) for page in pages for entry in page]


def fix_path(fix: Fix) -> str:
    return f"{SESSIONS}/{fix.session_id}/suggested-fixes/{fix.id}"


def own_words() -> str:
    """A reason that no other test records."""
    return f"waiting on AD replication to site {uuid4().hex[:12]}"
