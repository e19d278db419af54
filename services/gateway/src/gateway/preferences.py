"""The headers by which a client says how a change is to be made."""

import re
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers

from gateway.problems import invalid

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_IF_MATCH: Final = re.compile(r'"(0|[1-9]\d{0,17})"')
_WAIT: Final = re.compile(r"wait\s*=\s*\"?(\d{1,100})\"?")


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


def read(headers: Headers) -> Preferences:
    """The preferences of a request. Raises 422 for a key or a version that cannot be one."""
    keys, if_match, prefer = (
        headers.getlist("idempotency-key"),
        headers.getlist("if-match"),
        headers.getlist("prefer"),
    )
    if not (keys or if_match or prefer):
        return _NONE
    # What a wish is to be done with follows it after a semicolon; nothing that is known here has such parameters.
    wishes = [wish.partition(";")[0].strip() for wish in ",".join(prefer).lower().split(",")]
    waits = [found[1] for wish in wishes if (found := _WAIT.fullmatch(wish))]
    return Preferences(
        key=_checked_key(keys),
        if_match=_version(", ".join(if_match)) if if_match else None,
        respond_async="respond-async" in wishes,
        wait_s=int(waits[0]) if waits else None,
    )


def _checked_key(keys: list[str]) -> str | None:
    if len(keys) > 1 or any(not _KEY.fullmatch(key) for key in keys):
        raise invalid("once, 1 to 255 visible ASCII characters", where="header.Idempotency-Key")
    return keys[0] if keys else None


def _version(if_match: str) -> int | None:
    if if_match.strip() == "*":
        return None
    found = _IF_MATCH.fullmatch(if_match.strip())
    if found is None:
        raise invalid('one state_version in quotes, like "7"', where="header.If-Match")
    return int(found[1])
