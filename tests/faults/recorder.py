"""The load: engineers of several accounts at work on hot and cold sessions, every step of theirs recorded.

Seeded: the same seed makes the same choices. Keys are numbers that begin anew in each account, so that accounts use
the same keys; every text carries a mark of its account, so that a leak can be seen.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

import httpx

from faults.history import Attempt, HistoryFile, Request, Result, retried

SESSIONS: Final = "/api/v1/ai-sessions"
DOCUMENTS: Final = ("resolution-note", "escalation-package")
PATIENCE_S: Final = 9.0
"""Longer than any deadline of the gateway: a request that takes this long has broken one (L4)."""

DECIDED_S: Final = 15.0
"""A change that was queued is decided within this time after the load has ended."""

_NOTES_REQUIRED: Final = ("applied_pending", "applied_partial")
_TERMINAL: Final = ("applied_success", "applied_failed", "dismissed")
_HOT_SHARE: Final = 0.4
_UNKEYED_SHARE: Final = 0.1
_NEVER_RETRIED_SHARE: Final = 0.1
_COLD_SESSIONS: Final = 3

Token = Callable[[str, str], str]
"""A bearer token for an account and a role."""


@dataclass(slots=True)
class Case:
    """A session as its client knows it."""

    id: str
    open_fixes: list[str] = field(default_factory=list)
    version: int = 1


@dataclass(slots=True)
class Account:
    """A tenant with its sessions; the first is the hot one."""

    id: str
    mark: str
    token: str
    cases: list[Case] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    keys: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    operations: list[str] = field(default_factory=list)


def accounts_of(seed: str, count: int, token: Token) -> list[Account]:
    """Tenants that no other run has; the mark is a word that no secret looks like."""
    rng = Random(f"accounts {seed}")
    found = []
    for _ in range(count):
        id_ = str(UUID(int=rng.getrandbits(128), version=4))
        mark = "".join(rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(5))
        found.append(Account(id_, mark, token(id_, "engineer")))
    return found


class Recorder:
    """Runs the clients. `gateways` are tried in turn where one refuses the connection, as a balancer would."""

    def __init__(
        self,
        history: HistoryFile,
        *,
        seed: str,
        gateways: Sequence[str],
        token: Token,
        accounts: int = 3,
        clients_each: int = 3,
    ) -> None:
        self.history = history
        self.accounts = accounts_of(seed, accounts, token)
        self._operations = itertools.count(1)
        self._gateways = [
            httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, trust_env=False) for url in gateways
        ]
        self._clients = [
            Client(self, account, name=f"{account.mark}-{n}", rng=Random(f"{seed} {account.mark} {n}"))
            for account in self.accounts
            for n in range(1, clients_each + 1)
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self.progress = Progress()
        for account in self.accounts:
            history.write("account", id=account.id, mark=account.mark)

    async def __aenter__(self) -> "Recorder":
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(gateway.aclose() for gateway in self._gateways))

    def start(self) -> None:
        """Let all clients work."""
        self._tasks = [asyncio.create_task(client.work(self._stopping)) for client in self._clients]

    async def stop(self) -> None:
        """Let them finish what they are at: the retries of what is unknown, and what was queued."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)
        for account in self.accounts:
            for other in self.accounts:
                if other is not account:
                    await self._trespass(account, other)

    async def _trespass(self, account: Account, other: Account) -> None:
        """What is another account's does not exist."""
        paths = [("foreign_session", f"{SESSIONS}/{session}") for session in other.sessions[:1]]
        paths += [("foreign_operation", operation) for operation in other.operations[:1]]
        for kind, path in paths:
            await self.call(self.request("closing", account, kind, "GET", path), account.token)

    async def preview_everything(self) -> None:
        """Ask for both documents of every session: a cache that was lost is filled again by that."""
        for account in self.accounts:
            for session in account.sessions:
                for document in DOCUMENTS:
                    path = f"{SESSIONS}/{session}/{document}/preview"
                    request = self.request("closing", account, "preview", "POST", path, session=session)
                    await self.call(request, account.token)

    async def call(self, request: Request, token: str) -> Attempt:
        """One request, recorded before and after."""
        began = self.history.invoke(request)
        result = await self._result(request, token)
        attempt = self.history.complete(request, result, began=began)
        self.progress.note(attempt)
        return attempt

    def request(
        self, client: str, account: Account, kind: str, method: str, path: str, **more: Any
    ) -> Request:
        """A new request, of a new operation."""
        return Request(
            number=self.history.number(),
            operation=next(self._operations),
            client=client,
            account=account.id,
            kind=kind,
            method=method,
            path=path,
            **more,
        )

    async def _result(self, request: Request, token: str) -> Result:
        headers = {"Authorization": f"Bearer {token}", **_headers(request)}
        first = request.number % len(self._gateways)
        failure = "no gateway"
        for gateway in (*self._gateways[first:], *self._gateways[:first]):
            try:
                async with asyncio.timeout(PATIENCE_S):
                    reply = await gateway.request(
                        request.method, request.path, json=request.body, headers=headers
                    )
                return _read(reply)
            except httpx.ConnectError as error:
                failure = type(error).__name__  # no byte of it was sent: the next gateway may have it
            except (httpx.HTTPError, TimeoutError) as error:
                return Result(status=None, failure=type(error).__name__)
        return Result(status=None, failure=failure)


class Client:
    """One engineer. Chooses by its own dice; waits for each answer before it goes on, but for races."""

    def __init__(self, recorder: Recorder, account: Account, *, name: str, rng: Random) -> None:
        self._recorder, self._account, self._rng = recorder, account, rng
        self.name = name
        self._queued: deque[Attempt] = deque()

    async def work(self, stopping: asyncio.Event) -> None:
        """Do one thing after another until told to stop; then see what became of all that was queued."""
        while not stopping.is_set():
            await self._step()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rng.uniform(0.0, 0.04)):
                    await stopping.wait()
        while self._queued:
            await self._follow(self._queued.popleft())

    async def _step(self) -> None:
        case = await self._case()
        if case is None:
            return
        steps, weights = zip(*_WEIGHTS.items(), strict=True)
        [step] = self._rng.choices(steps, weights)
        if step in _NEEDS_FIX and not case.open_fixes:
            step = "suggest_fix"
        await getattr(self, f"_{step}")(case)

    async def _case(self) -> Case | None:
        cases = self._account.cases
        if len(cases) <= _COLD_SESSIONS:
            return await self._create_session()
        return cases[0] if self._rng.random() < _HOT_SHARE else self._rng.choice(cases)

    async def _create_session(self) -> Case | None:
        body = {
            "session_type": "chat",
            "intake_type": "free_text",
            "intake_content": {"text": self._words("reports that the printer is offline")},
        }
        done = await self._change("create_session", "POST", SESSIONS, body=body)
        if done is None or not done.accepted:
            return None
        case = Case(done.result.answer["id"])
        self._account.cases.append(case)
        self._account.sessions.append(case.id)
        return case

    async def _add_message(self, case: Case) -> None:
        body = {"role": "engineer", "content": self._words("restarted the spooler")}
        await self._change("add_message", "POST", f"{SESSIONS}/{case.id}/messages", case, body=body)

    async def _confirm_fact(self, case: Case) -> None:
        body = {"text": self._words("the queue holds jobs")}
        await self._change("confirm_fact", "POST", f"{SESSIONS}/{case.id}/facts", case, body=body)

    async def _suggest_fix(self, case: Case) -> None:
        body = {
            "title": self._words("clear the queue"),
            "description": "Stop, clear, start.",
            "confidence_pct": 60,
        }
        done = await self._change(
            "suggest_fix", "POST", f"{SESSIONS}/{case.id}/suggested-fixes", case, body=body
        )
        if done is not None and done.accepted:
            case.open_fixes.append(done.result.answer["id"])

    async def _apply_fix(self, case: Case) -> None:
        fix = case.open_fixes[-1]
        await self._change("apply_fix", "POST", f"{_fix(case, fix)}/apply", case, fix=fix)

    async def _propose_outcome(self, case: Case) -> None:
        fix = self._rng.choice(case.open_fixes)
        body = {"outcome": "success", "reason": self._words("the client says that it prints")}
        await self._change(
            "propose_outcome", "PUT", f"{_fix(case, fix)}/ai-outcome-proposal", case, body=body, fix=fix
        )

    async def _clear_proposal(self, case: Case) -> None:
        fix = self._rng.choice(case.open_fixes)
        path = f"{_fix(case, fix)}/ai-outcome-proposal"
        await self._change("clear_proposal", "DELETE", path, case, fix=fix)

    async def _record_parked(self, case: Case) -> None:
        await self._outcome(case, self._rng.choice(_NOTES_REQUIRED))

    async def _record_terminal(self, case: Case) -> None:
        await self._outcome(case, self._rng.choice(_TERMINAL))

    async def _outcome(self, case: Case, outcome: str) -> None:
        fix = self._rng.choice(case.open_fixes)
        keyed = self._rng.random() >= _UNKEYED_SHARE
        done = await self._change(
            "record_outcome",
            "PATCH",
            f"{_fix(case, fix)}/outcome",
            case,
            body=self._outcome_body(outcome),
            fix=fix,
            keyed=keyed,
        )
        if done is not None and done.accepted and self._rng.random() < 0.5:
            await self._read_session(case)

    async def _contend(self, case: Case) -> None:
        """Several change the same version at once: one may win."""
        read = await self._read_session(case)
        if read is None or read.version is None or not case.open_fixes:
            return
        fix = case.open_fixes[-1]
        await asyncio.gather(
            *(
                self._change(
                    "record_outcome",
                    "PATCH",
                    f"{_fix(case, fix)}/outcome",
                    case,
                    body=self._outcome_body("applied_pending"),
                    fix=fix,
                    if_match=read.version,
                )
                for _ in range(3)
            )
        )

    async def _conclude_at_once(self, case: Case) -> None:
        """Two record a terminal outcome at once: one may win."""
        fix = self._rng.choice(case.open_fixes)
        await asyncio.gather(
            *(
                self._change(
                    "record_outcome",
                    "PATCH",
                    f"{_fix(case, fix)}/outcome",
                    case,
                    body=self._outcome_body(outcome),
                    fix=fix,
                )
                for outcome in ("applied_success", "applied_failed")
            )
        )

    async def _ask_twice(self, case: Case) -> None:
        """The same request twice at once, under one key."""
        fix = self._rng.choice(case.open_fixes)
        request = self._new(
            "record_outcome",
            "PATCH",
            f"{_fix(case, fix)}/outcome",
            case,
            body=self._outcome_body("applied_partial"),
            fix=fix,
        )
        again = retried(request, number=self._recorder.history.number())
        await asyncio.gather(self._persist(request), self._persist(again))

    async def _queue(self, case: Case) -> None:
        """Ask not to wait."""
        fix = self._rng.choice(case.open_fixes)
        await self._change(
            "record_outcome",
            "PATCH",
            f"{_fix(case, fix)}/outcome",
            case,
            body=self._outcome_body("applied_pending"),
            fix=fix,
            at_once=True,
        )

    async def _read_session(self, case: Case) -> Attempt | None:
        read = await self._read("read_session", "GET", f"{SESSIONS}/{case.id}", case)
        if read.accepted:
            case.version = read.version or case.version
        return read

    async def _preview(self, case: Case) -> None:
        """Look at a document, record an outcome, and look again: it must show it."""
        document = self._rng.choice(DOCUMENTS)
        path = f"{SESSIONS}/{case.id}/{document}/preview"
        await self._read("preview", "POST", path, case)
        if case.open_fixes:
            await self._record_parked(case)
            await self._read("preview", "POST", path, case)

    async def _close(self, case: Case) -> None:
        """End a session; the hot one stays hot."""
        if case is self._account.cases[0]:
            return
        verb = self._rng.choice(("resolve", "escalate"))
        done = await self._change(f"{verb}_session", "POST", f"{SESSIONS}/{case.id}/{verb}", case)
        if done is not None and done.accepted and case in self._account.cases:
            self._account.cases.remove(case)

    async def _trespass(self, _: Case) -> None:
        """Ask for what is another account's: it does not exist."""
        others = [other for other in self._recorder.accounts if other is not self._account and other.cases]
        if not others:
            return
        other = self._rng.choice(others)
        if other.operations and self._rng.random() < 0.5:
            await self._read("foreign_operation", "GET", self._rng.choice(other.operations), None)
        else:
            await self._read("foreign_session", "GET", f"{SESSIONS}/{other.cases[0].id}", None)

    async def _read(self, kind: str, method: str, path: str, case: Case | None, **more: Any) -> Attempt:
        session = case.id if case else None
        request = self._recorder.request(
            self.name, self._account, kind, method, path, session=session, **more
        )
        return await self._recorder.call(request, self._account.token)

    async def _change(
        self, kind: str, method: str, path: str, case: Case | None = None, **more: Any
    ) -> Attempt | None:
        return await self._persist(self._new(kind, method, path, case, **more))

    def _new(
        self, kind: str, method: str, path: str, case: Case | None = None, *, keyed: bool = True, **more: Any
    ) -> Request:
        key = f"k-{next(self._account.keys)}" if keyed else None
        body = more.get("body") or {}
        mark = body.get("notes") if not keyed else None
        session = case.id if case else None
        return self._recorder.request(
            self.name, self._account, kind, method, path, session=session, key=key, mark=mark, **more
        )

    async def _persist(self, request: Request) -> Attempt:
        """Ask until it is known what became of it; without a key, and now and then with one, leave it unknown."""
        attempt = await self._recorder.call(request, self._account.token)
        gives_up = self._rng.random() < _NEVER_RETRIED_SHARE
        pause_s, left_s = 0.1, 20.0
        while attempt.unknown and request.key is not None and not gives_up and left_s > 0:
            await asyncio.sleep(pause_s)
            left_s, pause_s = left_s - pause_s, min(pause_s * 2, 1.0)
            request = retried(request, number=self._recorder.history.number())
            attempt = await self._recorder.call(request, self._account.token)
        self._learn(attempt)
        return attempt

    def _learn(self, attempt: Attempt) -> None:
        """What the client knows after an answer."""
        if attempt.queued:
            self._queued.append(attempt)
            if attempt.result.location:
                self._account.operations.append(attempt.result.location)
        fix = attempt.request.fix
        answer = attempt.result.answer
        shown = answer.get("current", answer) if isinstance(answer, dict) else None
        over = isinstance(shown, dict) and "allowed_outcomes" in shown and not shown["allowed_outcomes"]
        if fix and over:
            for case in self._account.cases:
                if fix in case.open_fixes:
                    case.open_fixes.remove(fix)
        if attempt.request.session and isinstance(answer, dict) and answer.get("code") == "session_closed":
            self._account.cases[:] = [
                case for case in self._account.cases if case.id != attempt.request.session
            ]

    async def _follow(self, queued: Attempt) -> None:
        """See what became of a queued change: it is decided, or an operator must look."""
        pause_s, deadline = 0.05, time.monotonic() + DECIDED_S
        while time.monotonic() < deadline:
            seen = await self._read(
                "operation", "GET", queued.result.location or "", None, about=queued.request.number
            )
            if seen.accepted and (
                seen.result.answer["status"] != "pending" or seen.result.answer.get("parked")
            ):
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 0.5)

    def _outcome_body(self, outcome: str) -> dict[str, Any]:
        return {"outcome": outcome, "notes": self._words(f"after {self._rng.randrange(10**9)} tries")}

    def _words(self, text: str) -> str:
        return f"{self._account.mark} {text}"


@dataclass(slots=True)
class Progress:
    """What has been seen so far; experiments wait for it instead of for time."""

    accepted: int = 0
    unknown: int = 0
    server_errors: int = 0

    def note(self, attempt: Attempt) -> None:
        """Count one attempt."""
        if attempt.change and attempt.accepted:
            self.accepted += 1
        self.unknown += attempt.change and attempt.unknown
        self.server_errors += (attempt.result.status or 0) >= httpx.codes.INTERNAL_SERVER_ERROR


_WEIGHTS: Final[Mapping[str, int]] = {
    "record_parked": 40,
    "record_terminal": 8,
    "contend": 4,
    "conclude_at_once": 2,
    "ask_twice": 4,
    "queue": 4,
    "suggest_fix": 6,
    "apply_fix": 6,
    "propose_outcome": 5,
    "clear_proposal": 3,
    "add_message": 7,
    "confirm_fact": 5,
    "read_session": 6,
    "preview": 5,
    "trespass": 3,
    "close": 1,
}
_NEEDS_FIX: Final = frozenset(
    {
        "record_parked",
        "record_terminal",
        "contend",
        "conclude_at_once",
        "ask_twice",
        "queue",
        "apply_fix",
        "propose_outcome",
        "clear_proposal",
    }
)


def _fix(case: Case, fix: str) -> str:
    return f"{SESSIONS}/{case.id}/suggested-fixes/{fix}"


def _headers(request: Request) -> dict[str, str]:
    headers = {}
    if request.key is not None:
        headers["Idempotency-Key"] = request.key
    if request.if_match is not None:
        headers["If-Match"] = f'"{request.if_match}"'
    if request.at_once:
        headers["Prefer"] = "respond-async"
    return headers


def _read(reply: httpx.Response) -> Result:
    try:
        answer = reply.json() if reply.content else None
    except ValueError:
        answer = {"not JSON": reply.text[:200]}
    return Result(
        status=reply.status_code,
        answer=answer,
        replayed=reply.headers.get("idempotency-replayed") == "true",
        retry_after=reply.headers.get("retry-after"),
        location=reply.headers.get("location") if reply.status_code == httpx.codes.ACCEPTED else None,
    )
