"""Names and numbers that a reader acts on must come from the record: hosts, addresses, versions, people, times."""

from collections.abc import Iterator
from functools import lru_cache

from note_generator.domain import phrases
from note_generator.domain.bundle import Bundle
from note_generator.domain.checks import entities
from note_generator.domain.checks.entities import Entity
from note_generator.domain.checks.violation import Check, Violation
from note_generator.domain.plain import one_line
from note_generator.domain.sources import plainly, sources
from note_generator.domain.wording import lines_of


def check(markdown: str, bundle: Bundle) -> Iterator[Violation]:
    """What is named and does not occur in the bundle."""
    known = _known(bundle)
    for _, line in lines_of(markdown):
        for entity in entities.of(one_line(plainly(line))):
            if not _is_known(entity, known):
                yield Violation(
                    Check.GROUNDING,
                    f"unknown {entity.what}",
                    f"{entity.text} is not in the record",
                    line.strip(),
                )


def _is_known(entity: Entity, known: frozenset[tuple[str, str]]) -> bool:
    if any((entity.what, key) in known for key in entity.keys):
        return True
    if entity.cut:
        return any(value.startswith(entity.keys[0]) for _, value in known)
    # What looks like a host to us may have been a version to a person: that it stands there is what counts.
    return any(value in entity.keys for _, value in known)


@lru_cache(maxsize=16)
def _known(bundle: Bundle) -> frozenset[tuple[str, str]]:
    texts = [source.text for source in sources(bundle).values()] + list(_stamps(bundle))
    found: set[tuple[str, str]] = set()
    for text in texts:
        for line in {plainly(part) for part in (text, *text.splitlines())}:
            for entity in entities.of(line):
                found.update((entity.what, key) for key in entity.keys)
            found.update(("word", word) for word in entities.words(line))
    return frozenset(found)


def _stamps(bundle: Bundle) -> Iterator[str]:
    """Times and names that the record has beside its texts."""
    yield from (each or "" for each in (bundle.ticket, bundle.ticket_url, bundle.opened_by))
    moments = [bundle.opened_at, *(said.at for said in bundle.conversation.utterances)]
    yield from (said.name or "" for said in bundle.conversation.utterances)
    for fix in (bundle.subject, *bundle.attempts):
        if fix is not None:
            moments += [at for at in (fix.suggested_at, fix.applied_at, fix.verified_at) if at]
            moments += [step.at for step in fix.steps]
            yield f"{fix.confidence_pct} %"
            yield from (step.by or "" for step in fix.steps)
    for at in moments:
        yield f"{phrases.moment(at)} {at:%A}"
