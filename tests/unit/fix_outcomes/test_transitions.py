"""The table of product.md section 3, written out by hand, against the code's own and against what is decided."""

import pytest
from fix_outcomes.domain.transitions import TRANSITIONS
from fix_outcomes_doubles import ACCOUNT, Record
from pydantic import ValidationError
from shared.contracts.commands import RecordOutcome
from shared.contracts.vocabulary import FixStatus

STATUSES = (
    "proposed",
    "applied_pending",
    "applied_partial",
    "applied_success",
    "applied_failed",
    "dismissed",
)

#                       proposed pending partial success failed dismissed
TABLE = """
    proposed               no      yes     yes     yes    yes     yes
    applied_pending        no      yes     yes     yes    yes     yes
    applied_partial        no      yes     yes     yes    yes     yes
    applied_success        no      no      no      no     no      no
    applied_failed         no      no      no      no     no      no
    dismissed              no      no      no      no     no      no
"""

PAIRS = [
    (cells[0], to, answer == "yes")
    for cells in map(str.split, TABLE.strip().splitlines())
    for to, answer in zip(STATUSES, cells[1:], strict=True)
]


def test_the_table_written_by_hand_names_all_36_pairs() -> None:
    assert len({(start, to) for start, to, _ in PAIRS}) == 36
    assert {str(status) for status in FixStatus} == set(STATUSES)


@pytest.mark.parametrize(("start", "to", "allowed"), PAIRS)
def test_the_codes_table_says_the_same_of_every_pair(start: str, to: str, allowed: bool) -> None:
    assert (FixStatus(to) in TRANSITIONS[FixStatus(start)]) is allowed


@pytest.mark.parametrize(("start", "to", "allowed"), [pair for pair in PAIRS if pair[1] != "proposed"])
def test_an_outcome_is_accepted_where_the_table_says_yes_and_else_refused_as_final(
    start: str, to: str, allowed: bool
) -> None:
    record = Record()
    fix_id = record.fix_in(start)
    before = record.snapshot()

    answer = record.outcome(fix_id, to)

    if allowed:
        assert (answer.status, answer.body["status"]) == (200, to)
        assert record.fixes[fix_id].status == to
    else:
        assert (answer.status, answer.body["code"]) == (409, "outcome_final")
        assert record.snapshot() == before


@pytest.mark.parametrize("to", STATUSES[1:])
def test_a_fix_applied_without_a_verdict_takes_every_outcome(to: str) -> None:
    record = Record()
    fix_id = record.open_fix()
    record.apply(fix_id)

    assert record.outcome(fix_id, to).status == 200


@pytest.mark.parametrize("outcome", ["proposed", "", "success", "APPLIED_SUCCESS", None])
def test_only_the_five_outcomes_can_be_sent(outcome: str | None) -> None:
    body = {"session_id": ACCOUNT, "fix_id": ACCOUNT, "outcome": outcome, "notes": "tried"}
    with pytest.raises(ValidationError, match="outcome"):
        RecordOutcome.model_validate(body)
