"""The few pieces of Markdown that docs/messages.md is made of."""

import json
import re
from collections.abc import Iterable, Sequence


def section(title: str, *paragraphs: str) -> str:
    """A level-2 heading with what is under it."""
    return "\n\n".join((f"## {title}", *(text.strip() for text in paragraphs if text.strip())))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; `|` inside a cell is escaped."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """As it is to be typed."""
    return f"`{text}`"


def block(value: object) -> str:
    """A value as indented JSON."""
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"


def link(heading: str) -> str:
    """A link to a heading of the same page."""
    return f"[{heading}](#{anchor(heading)})"


def anchor(heading: str) -> str:
    """GitHub's name for a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def one_line(docstring: str | None) -> str:
    """A docstring as one paragraph."""
    return " ".join((docstring or "").split())
