"""One example of every message, with reserved names and fixed ids. Both sides' tests read these."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from shared.contracts import events
from shared.contracts.answers import Answer, Answers
from shared.contracts.commands import Command, CommandBatch, RecordOutcome
from shared.contracts.events import CloudEvent, StateChange, StateChanges, routing_key, source_of, type_of
from shared.contracts.queries import GetFix, ListPendingVerifications, Query, QueryBatch, WriteNote
from shared.contracts.text import Message
from shared.contracts.views import Actor, Author, Fix, Ticket
from shared.contracts.vocabulary import (
    FixStatus,
    Generator,
    MessageRole,
    NoteKind,
    Outcome,
    ProposedOutcome,
    Role,
    SessionStatus,
    Visibility,
)

ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000a")
SESSION = UUID("0192f000-0000-7000-8000-000000000001")
FIX = UUID("0192f000-0000-7000-8000-000000000002")
OLDER_FIX = UUID("0192f000-0000-7000-8000-000000000003")
MESSAGE = UUID("0192f000-0000-7000-8000-000000000004")
FACT = UUID("0192f000-0000-7000-8000-000000000005")
COMMAND = UUID("0192f000-0000-7000-8000-000000000006")
ENGINEER = UUID("0192f000-0000-7000-8000-00000000000e")
AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)

SAM = Actor(id=ENGINEER, name="Sam Okafor", role=Role.ENGINEER)
REASON = "Client power-cycles the router after 18:00; line test after that"

COMMAND_BATCH = CommandBatch(
    commands=(
        Command(
            ref=1,
            command_id=COMMAND,
            account_id=ACCOUNT,
            actor=SAM,
            fingerprint="5f6b1c0e",
            if_match=7,
            issued_at=AT,
            traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            action=RecordOutcome(
                session_id=SESSION, fix_id=FIX, outcome=Outcome.APPLIED_PENDING, notes=REASON
            ),
        ),
    )
)

PENDING_FIX = Fix(
    id=FIX,
    session_id=SESSION,
    title="Update the router's firmware to 3.2.1",
    description="Download 3.2.1 from the vendor, upload it under Maintenance, power-cycle once.",
    confidence_pct=80,
    status=FixStatus.APPLIED_PENDING,
    applied_at=AT,
    pending_reason=REASON,
    created_at=AT,
    updated_at=AT,
    state_version=8,
    allowed_outcomes=tuple(Outcome),
)

ANSWERS = Answers(answers=(Answer(ref=1, status=200, body=PENDING_FIX.model_dump(mode="json")),))

QUERY_BATCH = QueryBatch(
    queries=(
        Query(ref=2, account_id=ACCOUNT, question=GetFix(session_id=SESSION, fix_id=FIX)),
        Query(ref=4, account_id=ACCOUNT, question=ListPendingVerifications(parked_by=ENGINEER)),
    )
)

PREVIEW_BATCH = QueryBatch(
    queries=(
        Query(
            ref=3,
            account_id=ACCOUNT,
            question=WriteNote(session_id=SESSION, note=NoteKind.RESOLUTION_NOTE),
        ),
    )
)

STATE_CHANGES = StateChanges(changes=(StateChange(account_id=ACCOUNT, session_id=SESSION, state_version=8),))


def _change(**more: object) -> dict[str, object]:
    return {
        "account_id": ACCOUNT,
        "session_id": SESSION,
        "command_id": COMMAND,
        "state_version": 8,
        "actor": SAM,
    } | more


_DATA: Mapping[str, dict[str, object]] = {
    "session.created": _change(
        title="No internet at reception", ticket=Ticket(system="halopsa", id="48213"), state_version=0
    ),
    "session.message_added": _change(
        message_id=MESSAGE, role=MessageRole.CLIENT, author=Author(id=ENGINEER, name="Sam Okafor")
    ),
    "session.fact_confirmed": _change(fact_id=FACT, visibility=Visibility.CLIENT),
    "session.resolved": _change(**{"from": SessionStatus.ACTIVE, "to": SessionStatus.RESOLVED}),
    "session.escalated": _change(
        **{"from": SessionStatus.ACTIVE, "to": SessionStatus.ESCALATED, "pending_verification": (FIX,)}
    ),
    "fix.suggested": _change(fix_id=FIX, title=PENDING_FIX.title, confidence_pct=80, supersedes=(OLDER_FIX,)),
    "fix.applied": _change(fix_id=FIX, applied_at=AT),
    "fix.outcome_recorded": _change(
        **{
            "fix_id": FIX,
            "from": FixStatus.PROPOSED,
            "to": FixStatus.APPLIED_PENDING,
            "notes": REASON,
            "pending_reason": REASON,
            "applied_at": AT,
            "cleared_proposal": True,
        }
    ),
    "fix.outcome_proposed": _change(
        fix_id=FIX, outcome=ProposedOutcome.SUCCESS, reason="Client: internet is back", confidence_pct=70
    ),
    "fix.outcome_proposal_cleared": _change(fix_id=FIX),
    "note.regenerated": {
        "account_id": ACCOUNT,
        "session_id": SESSION,
        "kind": NoteKind.RESOLUTION_NOTE,
        "state_version": 8,
        "generator": Generator.TEMPLATE,
    },
}


def _event(name: str, data: Message) -> CloudEvent:
    change = isinstance(data, events.Change)
    fix_id = getattr(data, "fix_id", None)
    sequence = 1 if name == "session.created" else 12
    return CloudEvent(
        id=f"{SESSION}/{sequence}" if change else f"{SESSION}/{NoteKind.RESOLUTION_NOTE}/8",
        source=source_of(ACCOUNT, SESSION),
        type=type_of(name),
        subject=f"suggested-fixes/{fix_id}" if fix_id else None,
        time=AT,
        sequence=f"{sequence:020}" if change else None,
        data=data.model_dump(mode="json", by_alias=True),
    )


EVENTS: Mapping[str, CloudEvent] = {
    name: _event(name, model.model_validate(_DATA[name])) for name, model in events.DATA.items()
}

ROUTING_KEYS: Mapping[str, str] = {name: routing_key(ACCOUNT, SESSION, name) for name in EVENTS}
