"""What is wrong with a document, and where."""

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """The four things that a document is held to."""

    OUTCOME = "outcome"
    GROUNDING = "grounding"
    SUPPORT = "support"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong. `sentence` is the one that says it; empty where something is missing."""

    check: Check
    rule: str
    detail: str
    sentence: str = ""

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"
