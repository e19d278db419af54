"""What clients saw: one JSON line before a request leaves, one when its result is known. Unknown stays unknown."""

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import orjson

READS = frozenset({"read_session", "preview", "operation", "watch", "foreign_session", "foreign_operation"})

_ACCEPTED, _QUEUED, _REFUSED, _FAILED = 200, 202, 400, 500
_UNDECIDED = frozenset({401, 413, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, as it is about to be sent. Retries are requests of their own with the same `operation`."""

    number: int
    operation: int
    client: str
    account: str
    kind: str
    method: str
    path: str
    session: str | None = None
    fix: str | None = None
    body: dict[str, Any] | None = None
    key: str | None = None
    if_match: int | None = None
    mark: str | None = None
    about: int | None = None
    at_once: bool = False
    after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came back. Without a status the connection broke or nothing came in time: nobody knows what happened."""

    status: int | None
    answer: Any = None
    replayed: bool = False
    retry_after: str | None = None
    location: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A request with its result; times are seconds of the monotonic clock."""

    request: Request
    result: Result
    began: float
    ended: float

    @property
    def change(self) -> bool:
        """Whether it asked for a change."""
        return self.request.kind not in READS

    @property
    def accepted(self) -> bool:
        """Answered 2xx, and decided."""
        status = self.result.status
        return status is not None and _ACCEPTED <= status < _REFUSED and status != _QUEUED

    @property
    def refused(self) -> bool:
        """Decided by fix-outcomes, with no."""
        status = self.result.status
        return status is not None and _REFUSED <= status < _FAILED and status not in _UNDECIDED

    @property
    def decided(self) -> bool:
        """Whether the client knows what became of it."""
        return self.accepted or self.refused

    @property
    def queued(self) -> bool:
        """Answered 202."""
        return self.result.status == _QUEUED

    @property
    def unknown(self) -> bool:
        """No result, or one that promises nothing (5xx)."""
        return not self.decided and not self.queued

    @property
    def version(self) -> int | None:
        """The state_version that the answer shows."""
        answer = self.result.answer
        return answer.get("state_version") if isinstance(answer, dict) else None

    def __str__(self) -> str:
        asked, got = self.request, self.result
        key = f" key {asked.key}" if asked.key else ""
        what = got.status or got.failure
        return f"#{asked.number} {asked.kind} by {asked.client}{key} on session {asked.session} → {what}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was done to the stack, from `began` to `ended`, when it was healed again."""

    name: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Expectation:
    """A message that must be found in a parking queue: the text that tells it, and the word its reason has."""

    mark: str
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a viewer's event stream brought: an event with the session's sequence (`id`), if it has one."""

    viewer: str
    account: str
    session: str
    event: str
    id: int | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """A viewer went, after having been given time to see everything up to the sequence `owed`."""

    viewer: str
    session: str
    owed: int


class HistoryFile:
    """Writes the history. A line is with the kernel before the request is: a crash of ours loses none."""

    def __init__(
        self,
        path: Path,
        *,
        seed: str,
        budget_usd: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._out = path.open("wb", buffering=0)
        self._clock = clock
        self._numbers = itertools.count(1)
        self.write("run", seed=seed, budget_usd=budget_usd)

    def number(self) -> int:
        """The next number of a request."""
        return next(self._numbers)

    def invoke(self, request: Request) -> float:
        """The request is about to be sent."""
        at = self._clock()
        self.write("invoke", at=at, request=asdict(request))
        return at

    def complete(self, request: Request, result: Result, *, began: float) -> Attempt:
        """Its result is known, or known to be unknown."""
        ended = self._clock()
        self.write("complete", at=ended, number=request.number, result=asdict(result))
        return Attempt(request=request, result=result, began=began, ended=ended)

    def fault(self, fault: Fault) -> None:
        """A fault has been healed."""
        self.write("fault", **asdict(fault))

    def expect_parked(self, expectation: Expectation) -> None:
        """This message is meant to be parked."""
        self.write("parked", **asdict(expectation))

    def seen(self, seen: Seen) -> None:
        """A viewer was told something."""
        self.write("seen", **asdict(seen))

    def left(self, left: Left) -> None:
        """A viewer looks no longer."""
        self.write("left", **asdict(left))

    def write(self, what: str, **members: Any) -> None:
        """One line."""
        self._out.write(orjson.dumps({"what": what, **members}) + b"\n")

    def close(self) -> None:
        """No more lines."""
        self._out.close()


@dataclass(frozen=True, slots=True)
class History:
    """A history, read back."""

    seed: str
    accounts: dict[str, str]
    attempts: tuple[Attempt, ...]
    faults: tuple[Fault, ...]
    parked: tuple[Expectation, ...]
    seen: tuple[Seen, ...] = ()
    left: tuple[Left, ...] = ()
    budget_usd: float | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """All lines of a file."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in _lines(path):
            found[line.pop("what")].append(line)
        [run] = found["run"] or [{"seed": ""}]
        return cls(
            seed=run["seed"],
            accounts={line["id"]: line["mark"] for line in found["account"]},
            attempts=tuple(_attempts(found["invoke"], found["complete"])),
            faults=tuple(Fault(**line) for line in found["fault"]),
            parked=tuple(Expectation(**line) for line in found["parked"]),
            seen=tuple(Seen(**line) for line in found["seen"]),
            left=tuple(Left(**line) for line in found["left"]),
            budget_usd=run.get("budget_usd"),
        )


def _attempts(invoked: Sequence[dict[str, Any]], completed: Sequence[dict[str, Any]]) -> list[Attempt]:
    """As they began. A request without a completion has an unknown result that never came."""
    done = {line["number"]: (Result(**line["result"]), line["at"]) for line in completed}
    last = max((line["at"] for line in (*invoked, *completed)), default=0.0)
    never = Result(status=None, failure="never came back"), last
    attempts = []
    for line in invoked:
        request = Request(**line["request"])
        result, ended = done.get(request.number, never)
        attempts.append(Attempt(request=request, result=result, began=line["at"], ended=ended))
    return sorted(attempts, key=lambda attempt: attempt.began)


def retried(request: Request, *, number: int) -> Request:
    """The same request once more."""
    return replace(request, number=number)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)
