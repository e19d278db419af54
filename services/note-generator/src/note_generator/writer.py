"""Who writes the documents: the deterministic template, or an LLM that is held to the record."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from shared.contracts.views import Citation, CitedEvidence, NoteUsage
from shared.contracts.vocabulary import Generator
from shared.logs import logger

from note_generator.aloud import Aloud, Show, unseen
from note_generator.domain.bundle import Bundle
from note_generator.domain.checks.examination import violations
from note_generator.domain.checks.violation import Violation
from note_generator.domain.secrets import Secrets
from note_generator.domain.sources import sources
from note_generator.domain.template import document
from note_generator.domain.written import Writing, isolated
from note_generator.metrics import VIOLATIONS

log = logger(__name__)


class WritingFailed(Exception):
    """A writer has no text. `reason` is shown to people; `kind` is the word for it in metrics and the ledger."""

    def __init__(self, reason: str, *, kind: str = "error") -> None:
        super().__init__(reason)
        self.reason, self.kind = reason, kind
        self.usage: NoteUsage | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A written document. `degraded`: an LLM was wanted and the template wrote; `warnings` say why."""

    markdown: str
    generator: Generator
    degraded: bool = False
    warnings: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    usage: NoteUsage | None = None


class Writer(Protocol):
    """Writes the document that a bundle is for."""

    async def write(self, bundle: Bundle, *, account_id: UUID, show: Show = unseen) -> Draft:
        """The document; what may be seen of it before it is whole is shown."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model handed in. `writing` is None where it is not in the agreed form; `objection` says what is wrong."""

    writing: Writing | None
    text: str
    usage: NoteUsage
    objection: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A text that did not hold, and why, for the model; `rules` are what people may read of it: nothing it says."""

    text: str
    objections: tuple[str, ...]
    rules: tuple[str, ...]


Hear = Callable[[Writing], Awaitable[None]]
"""Is told what is handed in so far, whenever that is a sentence more. Nothing of it is checked."""


class Model(Protocol):
    """A language model that is asked for one document at a time."""

    async def ask(
        self, bundle: Bundle, *, account_id: UUID, hear: Hear, refused: Refused | None = None
    ) -> Reply:
        """What it hands in, unchecked. Raises `WritingFailed`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class TemplateWriter:
    """Always has a text, at once."""

    async def write(self, bundle: Bundle, *, account_id: UUID, show: Show = unseen) -> Draft:
        """The template's document."""
        return Draft(document(bundle), Generator.TEMPLATE)

    async def close(self) -> None:
        """It has none."""


class CheckedWriter:
    """Shows what the model writes if it agrees with the record: at once, or repaired once. Else the template writes."""

    def __init__(self, *, model: Model, otherwise: Writer) -> None:
        self._model, self._otherwise = model, otherwise

    async def write(self, bundle: Bundle, *, account_id: UUID, show: Show = unseen) -> Draft:
        """A document that does not contradict the record."""
        aloud, refused = Aloud(bundle, show), None
        usage: NoteUsage | None = None
        try:
            for _ in range(2):
                reply = await self._model.ask(bundle, account_id=account_id, hear=aloud.hear, refused=refused)
                usage = total(usage, reply.usage)
                held = judged(reply, bundle)
                if isinstance(held, Draft):
                    return replace(held, usage=usage, warnings=(*reply.warnings, *held.warnings))
                refused = held
                await aloud.drop(*held.rules)
            reason = f"the model's text was refused: {', '.join(refused.rules) if refused else ''}"
        except WritingFailed as failure:
            reason, usage = failure.reason, total(usage, failure.usage)
            await aloud.drop(reason)
        log.warning("the template writes instead", kind=bundle.kind, reason=reason)
        draft = await self._otherwise.write(bundle, account_id=account_id)
        return replace(draft, degraded=True, warnings=(*draft.warnings, reason), usage=usage)

    async def close(self) -> None:
        """Close both."""
        await self._model.close()
        await self._otherwise.close()


def judged(reply: Reply, bundle: Bundle) -> Draft | Refused:
    """The document, if nothing is wrong with it."""
    if reply.writing is None:
        return _refused(reply.text, (reply.objection,), rules=(reply.objection,))
    writing = isolated(reply.writing, bundle)
    found = violations(writing.markdown, bundle, writing=writing)
    for each in found:
        VIOLATIONS.labels(each.check).inc()
    if found:
        return _refused(reply.text, map(_objection, found), rules=(each.rule for each in found))
    unsupported = ("the root cause had no support and is called not definitively isolated",)
    warnings = unsupported if writing is not reply.writing else ()
    return Draft(
        writing.markdown, Generator.LLM, warnings=warnings, citations=tuple(_citations(writing, bundle))
    )


def _refused(text: str, objections: Iterable[str], *, rules: Iterable[str]) -> Refused:
    """Even the model does not get a secret back that it wrote."""
    every = tuple(dict.fromkeys(objections))
    secrets = Secrets.found_in([text, *every])
    return Refused(secrets.removed(text), tuple(map(secrets.removed, every)), tuple(dict.fromkeys(rules)))


def _objection(violation: Violation) -> str:
    return f"{violation} (in: {violation.sentence[:200]})" if violation.sentence else str(violation)


def _citations(writing: Writing, bundle: Bundle) -> Sequence[Citation]:
    known = sources(bundle)
    return [
        Citation(
            sentence=sentence.text,
            evidence=tuple(
                CitedEvidence(kind=known[each.source].kind, id=known[each.source].id, quote=each.quote)
                for each in sentence.support
            ),
        )
        for section in writing.sections
        for sentence in section.sentences
        if sentence.support
    ]


def total(one: NoteUsage | None, other: NoteUsage | None) -> NoteUsage | None:
    """What both took."""
    if one is None or other is None:
        return one or other
    return NoteUsage(
        calls=one.calls + other.calls,
        input_tokens=one.input_tokens + other.input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        cache_read_tokens=one.cache_read_tokens + other.cache_read_tokens,
        cache_write_tokens=one.cache_write_tokens + other.cache_write_tokens,
        cost_usd=round(one.cost_usd + other.cost_usd, 6),
    )
