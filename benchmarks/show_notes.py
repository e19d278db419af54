"""Shows an example ticket's bundle, documents, checks and cost: `make notes TICKET=vpn-mtu-partial`.

By the template; and by the model too where NOTE_GENERATOR_ANTHROPIC_API_KEY is set (with
NOTE_GENERATOR_ANTHROPIC_BASE_URL for another address). No server is needed.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from note_generator.app import create_writer
from note_generator.cache import NoteCache
from note_generator.domain.brief import brief
from note_generator.domain.bundle import Bundle, bundle
from note_generator.domain.checks.examination import violations
from note_generator.settings import Settings
from note_generator.writer import Draft, TemplateWriter, Writer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from shared.contracts.vocabulary import NoteKind
from unit.note_generator.note_stories import played, tickets

ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000a")
NOWHERE = "redis://127.0.0.1:1/0"


async def show(ticket: str, screen: Console) -> None:
    """Everything about both documents of a ticket, those of the template and of the model side by side."""
    snapshot = played(tickets()[ticket]).snapshot()
    for kind in NoteKind:
        made = bundle(snapshot, kind)
        screen.rule(f"{ticket}: {kind.replace('_', ' ')}, what it is written from")
        screen.print(Text(brief(made)))
        shown = Table(show_lines=True, title=kind.replace("_", " "), expand=True)
        drafts = {f"asked of the {name}": await _written(writer, made) for name, writer in _writers()}
        for name in ("", *drafts):
            shown.add_column(name, ratio=12 if name else 2)
        for what, tell in _ROWS.items():
            shown.add_row(what, *(Text(tell(draft, made)) for draft in drafts.values()))
        screen.print(shown)
        if len(drafts) == 1:
            screen.print("(no model: NOTE_GENERATOR_ANTHROPIC_API_KEY is not set)")


def _writers() -> Iterator[tuple[str, Writer]]:
    yield "template", TemplateWriter()
    if os.environ.get("NOTE_GENERATOR_ANTHROPIC_API_KEY"):
        os.environ |= {"NOTE_GENERATOR_AMQP_URL": "amqp://none", "NOTE_GENERATOR_REDIS_URL": NOWHERE}
        cache = NoteCache(url=NOWHERE, timeout_s=0.5, ttl_s=60, lease_s=1)
        yield "model", create_writer(Settings(port=1), cache=cache)


async def _written(writer: Writer, made: Bundle) -> Draft:
    draft = await writer.write(made, account_id=ACCOUNT)
    await writer.close()
    return draft


def _checks(draft: Draft, made: Bundle) -> str:
    return "\n".join(f"{each.check}: {each}" for each in violations(draft.markdown, made)) or "nothing found"


_ROWS: Final[Mapping[str, Callable[[Draft, Bundle], str]]] = {
    "document": lambda draft, _: draft.markdown,
    "written by": lambda draft, _: f"{draft.generator}{', degraded' if draft.degraded else ''}",
    "checks": _checks,
    "warnings": lambda draft, _: "\n".join(draft.warnings) or "none",
    "citations": lambda draft, _: str(len(draft.citations)),
    "cost": lambda draft, _: str(draft.usage.model_dump()) if draft.usage else "no call",
}


if __name__ == "__main__":
    known = tickets()
    if len(sys.argv) != 2 or sys.argv[1] not in known:
        sys.exit("TICKET is one of: " + ", ".join(known))
    # Where nobody looks, as wide as two documents need.
    asyncio.run(show(sys.argv[1], Console(width=None if sys.stdout.isatty() else 200)))
