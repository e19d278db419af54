"""Shows an example ticket's bundle, documents, checks and cost: `make notes TICKET=vpn-mtu-partial`.

By the template; and by the model too where NOTE_GENERATOR_ANTHROPIC_API_KEY is set (with
NOTE_GENERATOR_ANTHROPIC_BASE_URL for another address). No server is needed.
"""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit" / "note_generator"))

from note_generator.app import create_writer
from note_generator.cache import NoteCache
from note_generator.domain.brief import brief
from note_generator.domain.bundle import Bundle, bundle
from note_generator.domain.checks.examination import violations
from note_generator.settings import Settings
from note_generator.writer import Draft, TemplateWriter, Writer
from note_stories import played, tickets
from shared.contracts.vocabulary import NoteKind

ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000a")
NOWHERE = "redis://127.0.0.1:1/0"


async def show(ticket: str) -> None:
    """Everything about both documents of a ticket."""
    snapshot = played(tickets()[ticket]).snapshot()
    for kind in NoteKind:
        made = bundle(snapshot, kind)
        _head(f"{ticket}: {kind}, what it is written from")
        print(brief(made))
        await _written("template", TemplateWriter(), made)
        if os.environ.get("NOTE_GENERATOR_ANTHROPIC_API_KEY"):
            os.environ |= {"NOTE_GENERATOR_AMQP_URL": "amqp://none", "NOTE_GENERATOR_REDIS_URL": NOWHERE}
            cache = NoteCache(url=NOWHERE, timeout_s=0.5, ttl_s=60, lease_s=1)
            await _written("model", create_writer(Settings(port=1), cache=cache), made)
            await cache.close()
        else:
            print("(no model: NOTE_GENERATOR_ANTHROPIC_API_KEY is not set)")


async def _written(name: str, writer: Writer, made: Bundle) -> None:
    draft = await writer.write(made, account_id=ACCOUNT)
    await writer.close()
    _head(f"{made.kind}, asked of the {name}, written by the {draft.generator}")
    print(draft.markdown)
    _judge(draft, made)


def _judge(draft: Draft, made: Bundle) -> None:
    found = violations(draft.markdown, made)
    print("checks:", "; ".join(f"{each.check}: {each}" for each in found) or "nothing found")
    print("warnings:", "; ".join(draft.warnings) or "none")
    print("citations:", len(draft.citations))
    print("cost:", draft.usage.model_dump() if draft.usage else "no call")


def _head(text: str) -> None:
    print(f"\n{'=' * 100}\n{text}\n{'=' * 100}\n")


if __name__ == "__main__":
    known = tickets()
    if len(sys.argv) != 2 or sys.argv[1] not in known:
        sys.exit("TICKET is one of: " + ", ".join(known))
    asyncio.run(show(sys.argv[1]))
