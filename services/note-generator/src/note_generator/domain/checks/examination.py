"""All checks over one document. Whoever wrote it, it is shown only if nothing is found."""

from collections.abc import Iterator
from typing import Final

from note_generator.domain.bundle import Bundle
from note_generator.domain.checks import grounding, outcome, shape, support
from note_generator.domain.checks.violation import Check, Violation
from note_generator.domain.secrets import Secrets
from note_generator.domain.written import Writing

ALL: Final = frozenset(Check)


def violations(
    markdown: str,
    bundle: Bundle,
    *,
    writing: Writing | None = None,
    checks: frozenset[Check] = ALL,
    whole: bool = True,
) -> tuple[Violation, ...]:
    """What is wrong with a document; nothing, if it may be shown. `writing`: the same, with its evidence.

    Of one that is not `whole` yet, nothing is missed that may still come.
    """
    if len(markdown) > shape.MAX_CHARACTERS or not shape.is_shaped(markdown, bundle, whole=whole):
        return tuple(shape.check(markdown, bundle, whole=whole))
    return tuple(each for each in _found(markdown, bundle, writing, whole=whole) if each.check in checks)


def _found(markdown: str, bundle: Bundle, writing: Writing | None, *, whole: bool) -> Iterator[Violation]:
    yield from shape.check(markdown, bundle, whole=whole)
    yield from outcome.check(markdown, bundle)
    yield from grounding.check(markdown, bundle)
    yield from support.check_text(markdown, bundle)
    if writing is not None:
        yield from support.check_evidence(writing, bundle)
    if Secrets.found_in([markdown]).removed(markdown) != markdown:
        yield Violation(Check.SHAPE, "secret", "what looks like a secret stands in it")
