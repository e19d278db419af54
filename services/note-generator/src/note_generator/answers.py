"""The form in which a model hands a document in, and what an answer says of its cost."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json
from shared.contracts.views import NoteUsage

from note_generator.domain.plain import one_line
from note_generator.domain.written import Section, Sentence, Support, Writing
from note_generator.settings import Price

_MILLION = 1_000_000
_Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""Below nothing, or beyond what any model reads, a number is no count: it would spoil the sums of a day."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SupportForm(_Form):
    """The words of a piece of the record that show what the sentence says."""

    source: str
    quote: str


class SentenceForm(_Form):
    """One sentence on one line."""

    text: str
    support: list[SupportForm]


class SectionForm(_Form):
    """One section with its heading."""

    heading: str
    sentences: list[SentenceForm]


class DocumentForm(_Form):
    """The whole document."""

    sections: list[SectionForm]

    def writing(self) -> Writing:
        """As the checks take it."""
        return Writing(
            tuple(
                Section(
                    f"## {one_line(section.heading).lstrip('# ')}",
                    tuple(_sentence(each) for each in section.sentences),
                )
                for section in self.sections
            )
        )


def writing_so_far(text: str) -> Writing:
    """What is certain of a document that is still being handed in: all but the sentence that may yet grow."""
    try:
        sections = from_json(text, allow_partial=True)["sections"]
        for section in sections:
            section["sentences"] = section.get("sentences", [])
        sections[-1]["sentences"].pop()
        form = DocumentForm.model_validate({"sections": [each for each in sections if each["sentences"]]})
    except (ValidationError, ValueError, LookupError, TypeError, AttributeError):
        return Writing(())
    return form.writing()


def _sentence(form: SentenceForm) -> Sentence:
    text = one_line(form.text).removeprefix("- ")
    return Sentence(
        text, tuple(Support(each.source.strip("[] "), one_line(each.quote)) for each in form.support)
    )


class _FromAnthropic(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _Block(_FromAnthropic):
    type: str
    text: str = ""


class Tokens(_FromAnthropic):
    """What an answer says that it took."""

    input_tokens: _Count
    output_tokens: _Count
    cache_read_input_tokens: _Count | None = None
    cache_creation_input_tokens: _Count | None = None

    def usage(self, price: Price) -> NoteUsage:
        """With its cost."""
        read, written = self.cache_read_input_tokens or 0, self.cache_creation_input_tokens or 0
        cost = (
            self.input_tokens * price.input
            + self.output_tokens * price.output
            + read * price.cache_read
            + written * price.cache_write
        ) / _MILLION
        return NoteUsage(
            calls=1,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cache_read_tokens=read,
            cache_write_tokens=written,
            cost_usd=round(cost, 6),
        )


class Answer(_FromAnthropic):
    """What is needed of an answer. The SDK itself takes any JSON for one."""

    content: list[_Block]
    stop_reason: str | None
    usage: Tokens

    @property
    def text(self) -> str:
        """All its text."""
        return "".join(block.text for block in self.content if block.type == "text").strip()


def schema() -> dict[str, Any]:
    """The form as JSON schema."""
    return DocumentForm.model_json_schema()
