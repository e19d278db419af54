"""Whose load it is: accounts and their sessions, as their engineers know them."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

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
