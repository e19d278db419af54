"""What an engineer does: one thing after another, by dice of its own, on hot and cold sessions."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from faults.asking import Asking
from faults.calls import Calls
from faults.history import Attempt, retried
from faults.tenants import Account, Case

SESSIONS: Final = "/api/v1/ai-sessions"
DOCUMENTS: Final = ("resolution-note", "escalation-package")

_NOTES_REQUIRED: Final = ("applied_pending", "applied_partial")
_TERMINAL: Final = ("applied_success", "applied_failed", "dismissed")
_HOT_SHARE: Final = 0.4
_UNKEYED_SHARE: Final = 0.1
_IF_MATCH_SHARE: Final = 0.2

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


@dataclass(frozen=True, slots=True)
class Habits:
    """How fast engineers work, and on how many sessions besides the hot one."""

    idle_s: float = 0.04
    cold_sessions: int = 3


STEADY: Final = Habits()


class Client(Asking):
    """One engineer at work. Waits for each answer before it goes on, but for races."""

    def __init__(
        self, calls: Calls, account: Account, *, name: str, rng: Random, habits: Habits = STEADY
    ) -> None:
        super().__init__(calls, account, name=name, rng=rng)
        self.habits = habits

    async def work(self, stopping: asyncio.Event) -> None:
        """Do one thing after another until told to stop; then see what became of all that was queued."""
        while not stopping.is_set():
            await self._step()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._rng.uniform(0.0, self.habits.idle_s)):
                    await stopping.wait()
        await self.follow_queued()

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
        if len(cases) <= self.habits.cold_sessions:
            return await self._create_session()
        return cases[0] if self._rng.random() < _HOT_SHARE else self._rng.choice(cases)

    async def _create_session(self) -> Case | None:
        body = {
            "session_type": "chat",
            "intake_type": "free_text",
            "intake_content": {
                "text": self._words(f"reports that printer {self._rng.randrange(10**9)} is offline")
            },
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
        known = {"if_match": case.version} if self._rng.random() < _IF_MATCH_SHARE else {}
        done = await self._record(case, fix, outcome, keyed=self._rng.random() >= _UNKEYED_SHARE, **known)
        if done is not None and done.accepted and self._rng.random() < 0.5:
            await self._read_session(case)

    async def _record(self, case: Case, fix: str, outcome: str, **more: Any) -> Attempt | None:
        path, body = f"{_fix(case, fix)}/outcome", self._outcome_body(outcome)
        return await self._change("record_outcome", "PATCH", path, case, body=body, fix=fix, **more)

    async def _contend(self, case: Case) -> None:
        """Several change the same version at once: one may win."""
        read = await self._read_session(case)
        if read is None or read.version is None or not case.open_fixes:
            return
        fix, version = case.open_fixes[-1], read.version
        await asyncio.gather(
            *(self._record(case, fix, "applied_pending", if_match=version) for _ in range(3))
        )

    async def _conclude_at_once(self, case: Case) -> None:
        """Two record a terminal outcome at once: one may win."""
        fix = self._rng.choice(case.open_fixes)
        await asyncio.gather(
            *(self._record(case, fix, outcome) for outcome in ("applied_success", "applied_failed"))
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
        again = retried(request, number=self._calls.history.number())
        await asyncio.gather(self._persist(request), self._persist(again))

    async def _queue(self, case: Case) -> None:
        """Ask not to wait."""
        await self._record(case, self._rng.choice(case.open_fixes), "applied_pending", at_once=True)

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
        others = [other for other in self._calls.accounts if other is not self._account and other.cases]
        if not others:
            return
        other = self._rng.choice(others)
        if other.operations and self._rng.random() < 0.5:
            await self._read("foreign_operation", "GET", self._rng.choice(other.operations), None)
        else:
            await self._read("foreign_session", "GET", f"{SESSIONS}/{other.cases[0].id}", None)

    def _outcome_body(self, outcome: str) -> dict[str, Any]:
        return {"outcome": outcome, "notes": self._words(f"after {self._rng.randrange(10**9)} tries")}

    def _words(self, text: str) -> str:
        return f"{self._account.mark} {text}"


def _fix(case: Case, fix: str) -> str:
    return f"{SESSIONS}/{case.id}/suggested-fixes/{fix}"
