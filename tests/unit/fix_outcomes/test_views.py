"""The views that are written by hand show what the contracts say."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from fix_outcomes.domain import views
from fix_outcomes.domain.model import Fix, Session
from hypothesis import given
from hypothesis import strategies as st
from shared.contracts.views import Author, Evidence, OutcomeProposal
from shared.contracts.views import Fix as FixView
from shared.contracts.vocabulary import FixStatus, ProposedOutcome, SessionStatus

MOMENTS = st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1))  # noqa: DTZ001 - hypothesis adds the zone
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)


@st.composite
def shown(draw: st.DrawFn) -> tuple[Fix, Session]:
    at = draw(MOMENTS)
    session = Session(
        id=uuid4(), account_id=uuid4(), title=None, status=draw(st.sampled_from(SessionStatus)),
        session_type="chat", intake_type="free_text", intake_text="x", ticket=None,
        state_version=draw(st.integers(1, 2**31 - 1)), sequence=1,
        created_by=Author(id=uuid4()), created_at=at, updated_at=at,
    )  # fmt: skip
    proposal = OutcomeProposal(
        outcome=ProposedOutcome.PENDING, reason="r", evidence=(Evidence(message_id=uuid4(), quote="q"),)
    )
    fix = Fix(
        id=uuid4(), account_id=session.account_id, session_id=session.id, title="t", description="d",
        confidence_pct=draw(st.integers(0, 100)), status=draw(st.sampled_from(FixStatus)),
        applied_at=draw(st.none() | MOMENTS), verified_at=draw(st.none() | MOMENTS),
        partial_notes=draw(TEXTS), pending_reason=draw(TEXTS), failure_reason=draw(TEXTS),
        ai_outcome_proposal=draw(st.sampled_from([None, proposal])),
        superseded_at=draw(st.none() | MOMENTS), created_at=at, updated_at=at + timedelta(seconds=1),
    )  # fmt: skip
    return fix, session


@given(shown())
def test_a_fix_is_shown_exactly_as_the_contract_writes_it(pair: tuple[Fix, Session]) -> None:
    fix, session = pair
    body = views.fix(fix, session)
    assert FixView.model_validate(body).model_dump(mode="json") == body
