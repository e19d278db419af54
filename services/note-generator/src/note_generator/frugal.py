"""No call of the model where there is nothing new to write: an unchanged bundle, or one that the template covers."""

from dataclasses import replace
from hashlib import blake2b
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from shared.contracts.cache import text_key
from shared.contracts.vocabulary import Generator
from shared.logs import logger

from note_generator.aloud import Show, unseen
from note_generator.cache import NoteCache
from note_generator.domain.brief import brief
from note_generator.domain.bundle import Bundle, Standing
from note_generator.domain.checks.examination import violations
from note_generator.metrics import LLM_SAVED
from note_generator.outage import CacheAway
from note_generator.writer import Draft, Writer

log = logger(__name__)

_DRAFT: Final = TypeAdapter(Draft)


class FrugalWriter:
    """Asks `first` only for what it has not written yet and the template does not say as well."""

    def __init__(self, *, first: Writer, template: Writer, cache: NoteCache, made_by: str) -> None:
        self._first, self._template, self._cache, self._made_by = first, template, cache, made_by

    async def write(self, bundle: Bundle, *, account_id: UUID, show: Show = unseen) -> Draft:
        """The document, from wherever it costs least."""
        if covered_by_template(bundle):
            LLM_SAVED.labels("template").inc()
            return await self._template.write(bundle, account_id=account_id)
        key = text_key(account_id, bundle.session_id, bundle.kind, self._digest(bundle))
        kept = await self._kept(key, bundle)
        if kept is not None:
            LLM_SAVED.labels("unchanged").inc()
            return replace(kept, usage=None)
        draft = await self._first.write(bundle, account_id=account_id, show=show)
        if draft.generator is Generator.LLM:
            await self._keep(key, draft)
        return draft

    async def close(self) -> None:
        """Close both."""
        await self._first.close()
        await self._template.close()

    def _digest(self, bundle: Bundle) -> str:
        return blake2b(f"{self._made_by}\n{brief(bundle)}".encode(), digest_size=16).hexdigest()

    async def _kept(self, key: str, bundle: Bundle) -> Draft | None:
        """What was written of it before; judged again, since checks may have become stricter."""
        try:
            text = await self._cache.text(key)
            draft = _DRAFT.validate_json(text) if text else None
        except CacheAway:
            return None
        except ValidationError:
            log.warning("a kept text is unreadable")
            return None
        return draft if draft and not violations(draft.markdown, bundle) else None

    async def _keep(self, key: str, draft: Draft) -> None:
        try:
            await self._cache.keep(key, _DRAFT.dump_json(draft).decode())
        except CacheAway:
            log.warning("a text could not be kept")


def covered_by_template(bundle: Bundle) -> bool:
    """Dismissed before anything was applied, and nothing else was: there is nothing to tell but that."""
    every = [each for each in (bundle.subject, *bundle.attempts) if each]
    return bundle.standing is Standing.DISMISSED and not any(each.was_applied for each in every)
