"""The conversation within a budget: the newest messages in full, older ones in a line each, the rest as a count."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from shared.contracts.views import ChatMessage
from shared.contracts.vocabulary import MessageRole

from note_generator.domain.plain import one_line, shortened

FULL_CHARACTERS: Final = 12_000
LONGEST_MESSAGE: Final = 3_000
CONDENSED_CHARACTERS: Final = 4_000
CONDENSED_MESSAGE: Final = 160


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message. `condensed`: only how it began."""

    id: UUID
    role: MessageRole
    name: str | None
    at: datetime
    text: str
    condensed: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages oldest first, and how many older ones are left out."""

    utterances: tuple[Utterance, ...]
    left_out: int


def condensed(messages: Sequence[ChatMessage], count: int, *, clean: Callable[[str], str]) -> Conversation:
    """The newest of `count` messages, cleaned, in a bounded number of characters."""
    kept: list[Utterance] = []
    full, brief = FULL_CHARACTERS, CONDENSED_CHARACTERS
    for message in reversed(messages):
        # Cut roughly before it is cleaned, exactly afterwards: no secret is split by what is shown.
        text = _without_middle(clean(_without_middle(message.content, 4 * LONGEST_MESSAGE)), LONGEST_MESSAGE)
        if full >= len(text):
            full -= len(text)
            kept.append(_utterance(message, text))
            continue
        full = 0
        text = shortened(one_line(text), CONDENSED_MESSAGE)
        if brief < len(text):
            break
        brief -= len(text)
        kept.append(_utterance(message, text, condensed=True))
    return Conversation(tuple(reversed(kept)), max(count, len(messages)) - len(kept))


def _utterance(message: ChatMessage, text: str, *, condensed: bool = False) -> Utterance:
    return Utterance(message.id, message.role, message.author.name, message.created_at, text, condensed)


def _without_middle(text: str, longest: int) -> str:
    """A pasted log says most where it begins and where it ends."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n[… middle left out …]\n{text[-half:]}"
