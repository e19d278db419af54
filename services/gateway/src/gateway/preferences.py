"""The headers by which a client says how a change is to be made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.problems import invalid

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_IF_MATCH: Final = re.compile(r'"(\d{1,18})"')
_WAIT: Final = re.compile(r"wait\s*=\s*\"?(\d{1,6})\"?")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the headers say. `wait_s`: how long the client wants to wait; None leaves it to us."""

    key: str | None = None
    if_match: int | None = None
    respond_async: bool = False
    wait_s: int | None = None

    @property
    def at_once(self) -> bool:
        """Whether the client wants no answer but that the change is queued."""
        return self.wait_s == 0 or (self.respond_async and self.wait_s is None)

    def applied(self, *, longest_s: float) -> str | None:
        """The value of `Preference-Applied`, where nobody waits longer than `longest_s`."""
        named = [f"wait={min(self.wait_s, int(longest_s))}"] if self.wait_s is not None else []
        return ", ".join(["respond-async"] * self.respond_async + named) or None


_NONE: Final = Preferences()


def read(headers: Mapping[str, str]) -> Preferences:
    """The preferences of a request. Raises 422 for a key or a version that cannot be one."""
    key, if_match, prefer = (
        headers.get("idempotency-key"),
        headers.get("if-match"),
        headers.get("prefer"),
    )
    if key is None and if_match is None and prefer is None:
        return _NONE
    wishes = [wish.strip() for wish in (prefer or "").lower().split(",")]
    waits = [found[1] for wish in wishes if (found := _WAIT.fullmatch(wish))]
    return Preferences(
        key=_checked_key(key),
        if_match=_version(if_match),
        respond_async="respond-async" in wishes,
        wait_s=int(waits[0]) if waits else None,
    )


def _checked_key(key: str | None) -> str | None:
    if key is not None and not _KEY.fullmatch(key):
        raise invalid("1 to 255 visible ASCII characters", where="header.Idempotency-Key")
    return key


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _IF_MATCH.fullmatch(if_match.strip())
    if found is None:
        raise invalid('one state_version in quotes, like "7"', where="header.If-Match")
    return int(found[1])
