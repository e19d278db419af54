"""Text and ids as they may cross a boundary: trimmed, bounded, and storable in Postgres."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

MAX_NOTES = 4_000
MAX_LONG_TEXT = 100_000
_ODD = frozenset("13579bdf")


def storable(text: str) -> str:
    """Refuse what Postgres cannot hold as text. Lone surrogates never get this far: pydantic refuses them."""
    if "\x00" in text:
        raise PydanticCustomError("text_nul", "Text must not contain the character U+0000")
    return text


Storable = AfterValidator(storable)

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300), Storable]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000), Storable]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LONG_TEXT), Storable
]
Notes = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NOTES), Storable]
SearchText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), Storable]
Url = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2_000, pattern=r"^https?://\S+$"), Storable
]

Version = Annotated[
    Literal[1], Field(description="The form of this message; a reader refuses a form that it does not know")
]
Ref = Annotated[int, Field(description="Number by which the answer names this request; its asker chose it")]
AccountId = Annotated[UUID, Field(description="The account that it belongs to")]
SessionId = Annotated[UUID, Field(description="The session that it is about")]
FixId = Annotated[UUID, Field(description="The fix that it is about")]
Traceparent = Annotated[
    str | None, Field(max_length=100, description="W3C trace context of the request that this belongs to")
]


def sampled(traceparent: str | None) -> bool:
    """Whether this trace context belongs to a request that is traced: the lowest bit of its flags, at its end."""
    return traceparent is not None and traceparent[-1:] in _ODD


class Message(BaseModel):
    """What crosses a process. Readers ignore fields that they do not know: old and new run side by side."""

    model_config = ConfigDict(frozen=True, extra="ignore")
