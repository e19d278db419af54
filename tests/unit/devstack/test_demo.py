"""The parts of the demo that need no stack: what is refused beforehand, what is asked, what is shown."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from devstack.demo import play
from devstack.play import Played
from devstack.report import outcomes, telling
from devstack.scene import AI, Scene, call_for
from devstack.ticket_format import Propose, Record, Say, Ticket
from shared.contracts.views import Fix, SessionWithFixes
from shared.contracts.vocabulary import Role

NOBODY = "http://127.0.0.1:9"
WHEN = "2026-11-19T10:00:00Z"


SHORT_TICKET = json.dumps({"title": "t", "engineer": "Sam", "intake": "i", "steps": [{"resolve": {}}]})


def scene() -> Scene:
    made = Scene(Ticket.model_validate_json(SHORT_TICKET), lambda name, role: f"{name}/{role}", session="S")
    made.fixes["port"] = "F"
    made.messages += [("M1", "it prints again"), ("M2", "yes, prints again"), ("M3", "bye")]
    return made


def test_a_faulty_folder_is_exit_code_2_and_nothing_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text('{"title": "x"}')
    assert play(NOBODY, "s" * 32, tmp_path) == 2
    printed = capsys.readouterr()
    assert "bad.json: engineer: is missing" in printed.err
    assert printed.out == ""


def test_a_gateway_that_does_not_answer_is_exit_code_1_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.json").write_text(SHORT_TICKET)
    assert play(NOBODY, "s" * 32, tmp_path) == 1
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_evidence_names_the_newest_message_that_says_it() -> None:
    step = Propose.model_validate(
        {"propose": {"fix": "port", "outcome": "success", "reason": "r", "evidence": ("prints again",)}},
        strict=False,
    )
    call = call_for(step, scene())
    assert call.token == f"{AI}/{Role.SERVICE}"
    assert call.body == {
        "outcome": "success",
        "reason": "r",
        "evidence": [{"message_id": "M2", "quote": "prints again"}],
    }


@pytest.mark.parametrize(
    ("step", "who"),
    [
        ('{"say": {"as": "assistant", "text": "x"}}', f"{AI}/{Role.SERVICE}"),
        ('{"say": {"as": "client", "text": "x"}}', f"Sam/{Role.ENGINEER}"),
        ('{"say": {"as": "engineer", "text": "x"}, "by": "Priya"}', f"Priya/{Role.ENGINEER}"),
    ],
)
def test_each_step_carries_the_token_of_who_does_it(step: str, who: str) -> None:
    assert call_for(Say.model_validate_json(step), scene()).token == who


def test_an_outcome_without_notes_sends_none() -> None:
    step = Record.model_validate_json('{"record": {"fix": "port", "outcome": "applied_success"}}')
    call = call_for(step, scene())
    assert (call.method, call.path) == ("PATCH", "/api/v1/ai-sessions/S/suggested-fixes/F/outcome")
    assert call.body == {"outcome": "applied_success"}


def played(name: str, status: str, *fixes: dict[str, object]) -> Played:
    one = Played(name, scene())
    session = uuid4()
    made = [
        Fix.model_validate(
            {
                "id": uuid4(),
                "session_id": session,
                "title": "t",
                "description": "d",
                "confidence_pct": 50,
                "created_at": WHEN,
                "updated_at": WHEN,
                "state_version": 4,
                "allowed_outcomes": (),
                **fix,
            }
        )
        for fix in fixes
    ]
    one.scene.fixes = {f"fix{number}": str(fix.id) for number, fix in enumerate(made)}
    one.session = SessionWithFixes.model_validate(
        {
            "id": session,
            "status": status,
            "session_type": "chat",
            "intake_type": "free_text",
            "intake_content": {"text": "i"},
            "state_version": 4,
            "sequence": 4,
            "created_by": {"id": uuid4()},
            "created_at": WHEN,
            "updated_at": WHEN,
            "fixes": made,
        }
    )
    return one


def test_the_table_says_what_each_fix_waits_for() -> None:
    one = played(
        "a",
        "active",
        {"status": "proposed", "superseded_at": WHEN},
        {"status": "applied_success", "pending_reason": "was waiting"},
        {"status": "applied_pending", "pending_reason": "power-cycle"},
        {"status": "applied_partial", "partial_notes": "4 of 5", "pending_reason": "older"},
        {"status": "proposed", "applied_at": WHEN},
        {"status": "proposed"},
    )
    lost = Played("b", scene(), trouble="steps[0]: no")
    rows = list(outcomes([one, lost]))
    assert [(row[4], row[5]) for row in rows] == [
        ("superseded", ""),
        ("applied_success", ""),
        ("applied_pending", "power-cycle"),
        ("applied_partial", "4 of 5"),
        ("proposed", "a verdict"),
        ("proposed", "somebody to apply it"),
        ("", "steps[0]: no"),
    ]
    assert [row[0] for row in rows] == ["a", "", "", "", "", "", "b"]


def test_one_document_is_shown_for_each_kind_of_story() -> None:
    shown = telling(
        [
            played("failed", "active", {"status": "applied_failed"}),
            played("waits", "active", {"status": "applied_pending", "pending_reason": "x"}),
            played("waits too", "active", {"status": "applied_pending", "pending_reason": "x"}),
            played("second try", "resolved", {"status": "applied_failed"}, {"status": "applied_success"}),
            played("worked", "resolved", {"status": "applied_success"}),
            played("handed on", "escalated", {"status": "applied_pending", "pending_reason": "x"}),
            Played("not played", scene(), trouble="x"),
        ]
    )
    assert [(one.name, kind) for _, one, kind in shown] == [
        ("waits", "resolution_note"),
        ("worked", "resolution_note"),
        ("second try", "resolution_note"),
        ("handed on", "escalation_package"),
    ]
