"""The demo against the running services: every shipped ticket goes as its file says, also through an outage."""

from pathlib import Path
from threading import Timer

import pytest
from devstack.demo import play
from devstack.stack import Stack
from devstack.tickets import load_tickets

SHIPPED = Path(__file__).parents[2] / "examples" / "tickets"


@pytest.mark.parametrize("time", ["first", "second"])
def test_every_shipped_ticket_goes_as_its_file_says(
    demo_stack: Stack, time: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(demo_stack.url(), demo_stack.jwt_secret, SHIPPED) == 0
    printed = capsys.readouterr().out
    assert [name for name in load_tickets(SHIPPED) if f"{name}  (" not in printed] == []
    for shown in (
        "resolution note · a fix awaits verification",
        "resolution note · the fix worked",
        "resolution note · the first fix failed, the second worked",
        "escalation package · handed on to the next engineer",
        " -> refused: 409 outcome_final; 'Log off the stale sessions",
        f"{demo_stack.url()}/docs",
    ):
        assert shown in printed
    for secret in load_tickets(SHIPPED)["password-in-ticket"].keep_out_of_notes:
        assert secret not in printed


@pytest.mark.full
def test_tickets_are_played_to_their_end_though_fix_outcomes_is_away_for_a_while(
    demo_stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    demo_stack.stop("fix-outcomes")
    back = Timer(8, demo_stack.start, ["fix-outcomes"])
    back.start()
    try:
        assert play(demo_stack.url(), demo_stack.jwt_secret, SHIPPED) == 0
    finally:
        back.join()
    assert "202, queued; following /api/v1/operations/" in capsys.readouterr().out


def test_a_ticket_that_goes_otherwise_is_named_and_is_exit_code_1(
    demo_stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("simple-success", "veeam-next-backup-window"):
        text = (SHIPPED / f"{name}.json").read_text(encoding="utf-8")
        text = text.replace('"unlock": "applied_success"', '"unlock": "dismissed"')
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    assert play(demo_stack.url(), demo_stack.jwt_secret, tmp_path) == 1
    printed = capsys.readouterr().out
    assert "ends_as.fixes.unlock: dismissed, but it is applied_success" in printed
    assert "went otherwise than their files say: simple-success\n" in printed
