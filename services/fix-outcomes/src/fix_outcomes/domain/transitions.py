"""What may follow what: the whole graph of a fix's status, in one table."""

from collections.abc import Mapping

from shared.contracts.vocabulary import FixStatus, Outcome

_EVERY_OUTCOME = frozenset(FixStatus(outcome) for outcome in Outcome)
_NONE: frozenset[FixStatus] = frozenset()

TRANSITIONS: Mapping[FixStatus, frozenset[FixStatus]] = {
    FixStatus.PROPOSED: _EVERY_OUTCOME,
    FixStatus.APPLIED_PENDING: _EVERY_OUTCOME,
    FixStatus.APPLIED_PARTIAL: _EVERY_OUTCOME,
    FixStatus.APPLIED_SUCCESS: _NONE,
    FixStatus.APPLIED_FAILED: _NONE,
    FixStatus.DISMISSED: _NONE,
}

ALLOWED: Mapping[FixStatus, tuple[Outcome, ...]] = {
    status: tuple(outcome for outcome in Outcome if FixStatus(outcome) in following)
    for status, following in TRANSITIONS.items()
}
"""The same graph as clients are shown it."""
