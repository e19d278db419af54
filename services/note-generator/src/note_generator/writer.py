"""Who writes the documents: the deterministic template, or an LLM that is held to the record."""

from dataclasses import dataclass, replace
from typing import Protocol

from shared.contracts.vocabulary import Generator
from shared.logs import logger

from note_generator.domain.bundle import Bundle
from note_generator.domain.checks.examination import violations
from note_generator.domain.template import document

log = logger(__name__)


class WritingFailed(Exception):
    """A writer has no text. `reason` is one of a few words, and shown to people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Draft:
    """A written document. `degraded`: an LLM was wanted and the template wrote; `warnings` say why."""

    markdown: str
    generator: Generator
    degraded: bool = False
    warnings: tuple[str, ...] = ()


class Writer(Protocol):
    """Writes the document that a bundle is for."""

    async def write(self, bundle: Bundle) -> Draft:
        """The document. Raises `WritingFailed`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class TemplateWriter:
    """Always has a text, at once."""

    async def write(self, bundle: Bundle) -> Draft:
        """The template's document."""
        return Draft(document(bundle), Generator.TEMPLATE)

    async def close(self) -> None:
        """It has none."""


class CheckedWriter:
    """Shows what `first` writes if it agrees with the record; else the template's text, and says so."""

    def __init__(self, *, first: Writer, otherwise: Writer) -> None:
        self._first, self._otherwise = first, otherwise

    async def write(self, bundle: Bundle) -> Draft:
        """A document that does not contradict the record."""
        try:
            draft = await self._first.write(bundle)
            found = violations(draft.markdown, bundle)
            if not found:
                return draft
            reason = f"the model's text was refused: {'; '.join(map(str, found))}"
        except WritingFailed as failure:
            reason = failure.reason
        log.warning("the template writes instead", kind=bundle.kind, reason=reason)
        draft = await self._otherwise.write(bundle)
        return replace(draft, degraded=True, warnings=(*draft.warnings, reason))

    async def close(self) -> None:
        """Close both."""
        await self._first.close()
        await self._otherwise.close()
