"""Arbitrary commands in arbitrary batches, against a model of the rules.

After every transaction the record must be what the model says, and S2 to S6 and S8 of invariants.md must hold.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fix_outcomes_doubles import ACCOUNT, OTHER_ACCOUNT, Record, command, create_session, outcome_of, proposal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from shared.contracts.answers import Answer
from shared.contracts.commands import Action, Command
from shared.contracts.vocabulary import Role
from unit.fix_outcomes.actions import action_of
from unit.fix_outcomes.outcomes import FINAL, OUTCOMES, PARKED
from unit.fix_outcomes.record_model import COLUMN, Model, Result

NO_NEW_VERSION = ("fix.outcome_proposed", "fix.outcome_proposal_cleared")


@dataclass(frozen=True)
class Move:
    """One command to come, in terms of what will be there: which session, which of its fixes from the newest."""

    what: str
    """A kind of action, an outcome, or `open`, `repeat` and `reuse` (an earlier command, or its key alone)."""
    session: int = 0
    fix: int = 0
    words: bool = False
    spoiled: str = ""


WHATS = (
    *OUTCOMES,
    *PARKED,
    *PARKED,
    "suggest_fix",
    "suggest_fix",
    "suggest_fix",
    "apply_fix",
    "apply_fix",
    "propose_outcome",
    "propose_outcome",
    "clear_proposal",
    "add_message",
    "confirm_fact",
    "escalate_session",
    "resolve_session",
    "open",
    "repeat",
    "reuse",
)
MOVES = st.builds(
    Move,
    what=st.sampled_from(WHATS),
    session=st.sampled_from([0, 0, 0, 0, 1, 2]),
    fix=st.sampled_from([0, 0, 0, 1, 1, 2]),
    words=st.booleans(),
    spoiled=st.sampled_from(
        [""] * 12 + ["match", "match", "stale", "ahead", "foreign", "viewer", "service", "lost"]
    ),
)


class RecordMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.record = Record()
        self.model = Model()
        self.sent: list[Command] = []
        self.answers: dict[tuple[UUID, UUID, str], Answer] = {}
        self.winners: Counter[tuple[UUID, int]] = Counter()

    @initialize()
    def begin(self) -> None:
        self.transact([Move("open"), Move("suggest_fix"), Move("open", session=1)])

    @rule(moves=st.lists(MOVES, min_size=1, max_size=8))
    def transact(self, moves: list[Move]) -> None:
        expected = []
        for move in moves:
            asked = self.command(move)
            self.sent.append(asked)
            expected.append((asked, *self.model.expect(asked)))
        before = self.record.sequences()
        answers, writes = self.record.transact([asked for asked, _, _ in expected])
        for (asked, results, repeat), answer in zip(expected, answers, strict=True):
            self.check_answer(asked, answer, results=results, repeat=repeat)
            if answer.status < 300 and not repeat and asked.if_match is not None:
                self.count_winner(asked)
        written = [*writes.created_sessions.values(), *writes.changed_sessions.values()]
        assert {session.id for session in written} == {entry.session_id for entry in writes.entries}
        for session in written:
            mine = [entry for entry in writes.entries if entry.session_id == session.id]
            assert session.sequence == before.get(session.id, 0) + len(mine)

    def command(self, move: Move) -> Command:
        if move.what in {"repeat", "reuse"} and self.sent:
            earlier = self.sent[-1 - (move.session * 3 + move.fix) % len(self.sent)]
            changes = {"ref": len(self.sent)} | ({"fingerprint": "another"} if move.what == "reuse" else {})
            return earlier.model_copy(update=changes)
        number = len(self.sent)
        own: dict[str, Any] = {"command_id": UUID(int=number + 1), "fingerprint": str(number), "ref": number}
        if move.what == "open":
            account = OTHER_ACCOUNT if move.session else ACCOUNT
            return command(create_session(), account=account, **own)
        session_id, fix_id = self.aim(move)
        action = self.action(move, session_id, fix_id)
        return command(action, **own, **self.circumstances(move, session_id))

    def aim(self, move: Move) -> tuple[UUID, UUID]:
        """The session and the fix that are meant; spoiled, one of them belongs elsewhere or nowhere."""
        ids = list(self.model.sessions)
        session_id = ids[move.session % len(ids)]
        fixes = list(self.model.sessions[session_id].fixes)
        fix_id = fixes[-1 - move.fix % len(fixes)] if fixes else UUID(int=0)
        if move.spoiled != "lost":
            return session_id, fix_id
        return (session_id, UUID(int=0)) if move.words else (ids[(move.session + 1) % len(ids)], fix_id)

    def action(self, move: Move, session_id: UUID, fix_id: UUID) -> Action:
        number = len(self.sent)
        if move.what in OUTCOMES:
            notes = f"words {number}" if move.words or move.what in PARKED else None
            return outcome_of(session_id, fix_id, move.what, notes)
        return action_of(move.what, session_id, fix_id, guess=proposal(reason=f"guess {number}"))

    def circumstances(self, move: Move, session_id: UUID) -> dict[str, Any]:
        session = self.model.sessions[session_id]
        stranger = OTHER_ACCOUNT if session.account == ACCOUNT else ACCOUNT
        versions = {"match": 0, "stale": -1, "ahead": 1}
        return {
            "account": stranger if move.spoiled == "foreign" else session.account,
            "if_match": session.version + versions[move.spoiled] if move.spoiled in versions else None,
            "role": Role(move.spoiled) if move.spoiled in {"viewer", "service"} else Role.ENGINEER,
        }

    def check_answer(self, asked: Command, answer: Answer, *, results: set[Result], repeat: bool) -> None:
        assert answer.ref == asked.ref
        assert answer.body.get("code", answer.status) in results
        assert answer.replayed is repeat
        first = self.answers.setdefault((asked.account_id, asked.command_id, asked.fingerprint), answer)
        if repeat:
            assert (answer.status, answer.body) == (first.status, first.body)

    def count_winner(self, asked: Command) -> None:
        """S6: of the changes with one If-Match one is accepted. (A guess makes nobody's version stale.)"""
        entry = next(
            (each for each in self.record.journal.values() if each.command_id == asked.command_id), None
        )
        if entry and entry.kind not in NO_NEW_VERSION:
            self.winners[entry.session_id, asked.if_match or 0] += 1
            assert self.winners[entry.session_id, asked.if_match or 0] == 1

    @invariant()
    def the_record_is_what_the_model_says(self) -> None:
        assert self.record.sessions.keys() == self.model.sessions.keys()
        for session_id, model in self.model.sessions.items():
            session = self.record.sessions[session_id]
            assert (session.account_id, session.status) == (model.account, model.status)
            assert (session.state_version, session.sequence) == (model.version, model.sequence)
            stamps = {entry.sequence: entry.at for entry in self.record.history(session_id)} | {None: None}
            for fix_id, fix_model in model.fixes.items():
                fix = self.record.fixes[fix_id]
                assert fix.status == fix_model.status
                assert (fix.superseded_at is not None) == fix_model.superseded
                assert fix.applied_at == stamps[fix_model.applied]
                assert fix.verified_at == stamps[fix_model.verified]
                assert {name: getattr(fix, name) for name in COLUMN.values()} == {
                    name: fix_model.columns.get(name) for name in COLUMN.values()
                }
                guess = fix.ai_outcome_proposal
                assert (guess.reason if guess else None) == fix_model.guess

    @invariant()
    def the_journal_is_a_chain_that_ends_in_the_rows(self) -> None:
        """S4 and S5, and that of many final outcomes one wins (S6)."""
        for session in self.record.sessions.values():
            entries = self.record.history(session.id)
            assert [entry.sequence for entry in entries] == list(range(1, session.sequence + 1))
            raised = [entry for entry in entries if entry.kind not in NO_NEW_VERSION]
            assert session.state_version == len(raised) == entries[-1].state_version
            assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
        for fix in self.record.fixes.values():
            chain = [
                (entry.from_status, entry.to_status)
                for entry in self.record.history(fix.session_id)
                if entry.fix_id == fix.id and entry.to_status
            ]
            assert chain[0] == (None, "proposed")
            assert [start for start, _ in chain[1:]] == [to for _, to in chain[:-1]]
            assert chain[-1][1] == fix.status
            assert all(start in {"proposed", *PARKED} and to in OUTCOMES for start, to in chain[1:])
            assert sum(to in FINAL for _, to in chain) <= 1

    @invariant()
    def state_journal_and_log_agree(self) -> None:
        """S2, S3 and S8."""
        record = self.record
        attempts = {(asked.account_id, asked.command_id) for asked in self.sent}
        entered = [(entry.account_id, entry.command_id) for entry in record.journal.values()]
        assert len(set(entered)) == len(entered)
        assert set(entered) <= attempts
        assert {(logged.account_id, logged.command_id) for logged in record.log.values()} == attempts
        accepted = {logged.command_id for logged in record.log.values() if logged.status < 300}
        assert {command_id for _, command_id in entered} <= accepted
        kinds = Counter(entry.kind for entry in record.journal.values())
        assert kinds["session.created"] == len(record.sessions)
        assert kinds["fix.suggested"] == len(record.fixes)
        assert kinds["session.message_added"] == len(record.messages)
        assert kinds["session.fact_confirmed"] == len(record.facts)


TestRecordMachine = RecordMachine.TestCase
TestRecordMachine.settings = settings(
    max_examples=200, stateful_step_count=20, deadline=None, derandomize=True
)
