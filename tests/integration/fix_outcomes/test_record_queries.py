"""What is asked about the record: every list page by page, and nothing of anybody else's."""

import inspect
from collections.abc import Callable
from typing import Any, get_args
from uuid import UUID

import pytest
from fix_outcomes import handlers
from fix_outcomes.storage import outbox, rows
from fix_outcomes.storage.commands import Named
from fix_outcomes.storage.database import connect, raw
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import (
    SAM,
    add_message,
    confirm_fact,
    create_session,
    outcome_of,
    proposal,
    suggest_fix,
)
from places import Database
from pydantic import TypeAdapter
from shared.contracts.answers import Answer
from shared.contracts.commands import (
    ApplyFix,
    ClearProposal,
    EscalateSession,
    ProposeOutcome,
    ResolveSession,
)
from shared.contracts.events import DATA, CloudEvent, name_of
from shared.contracts.queries import (
    GetActiveFix,
    GetFix,
    GetOperation,
    GetSession,
    GetSnapshot,
    ListEvents,
    ListFacts,
    ListFixes,
    ListHistory,
    ListMessages,
    ListPendingVerifications,
    ListSessions,
    Query,
    Record,
)
from shared.contracts.views import Fix, HistoryEntry, SessionWithFixes, Snapshot
from shared.contracts.vocabulary import SessionStatus
from shared.ids import new_id


async def look(desk: Desk, *questions: Record) -> list[Answer]:
    batch = [Query(ref=n, account_id=desk.account, question=each) for n, each in enumerate(questions)]
    return await handlers.answer(batch, engine=desk.engine)


async def see(desk: Desk, question: Record) -> dict[str, Any]:
    [answer] = await look(desk, question)
    assert answer.status == 200, answer.body
    return answer.body


async def pages(desk: Desk, question: Any) -> list[list[dict[str, Any]]]:
    """Every page of a list, as a client turns them."""
    found = []
    cursor = None
    while True:
        body = await see(desk, question.model_copy(update={"cursor": cursor} if cursor else {}))
        found.append(body["items"])
        if body["next_cursor"] is None:
            return found
        cursor = (
            TypeAdapter(type(question))
            .validate_python(question.model_dump() | {"cursor": body["next_cursor"]})
            .cursor
        )


class TestPaging:
    LISTS: tuple[tuple[str, Callable[[UUID, int], Any], Callable[[UUID, int], Any]], ...] = (
        (
            "messages",
            lambda s, n: add_message(s, str(n)),
            lambda s, limit: ListMessages(session_id=s, limit=limit),
        ),
        (
            "facts",
            lambda s, n: confirm_fact(s, str(n)),
            lambda s, limit: ListFacts(session_id=s, limit=limit),
        ),
        (
            "history",
            lambda s, n: add_message(s, str(n)),
            lambda s, limit: ListHistory(session_id=s, limit=limit),
        ),
        (
            "events",
            lambda s, n: add_message(s, str(n)),
            lambda s, limit: ListEvents(session_id=s, limit=limit),
        ),
    )

    @pytest.mark.parametrize(("name", "act", "ask"), LISTS, ids=[each[0] for each in LISTS])
    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 200])
    async def test_pages_hold_everything_once_oldest_first_and_the_last_says_so(
        self, desk: Desk, name: str, act: Any, ask: Any, limit: int
    ) -> None:
        session = await desk.open_session()
        await desk.send(*(desk.command(act(session, number)) for number in range(4)))
        first = 0 if name in {"messages", "facts"} else 1
        count = 4 + first

        found = await pages(desk, ask(session, limit))

        assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
        assert 0 < len(found[-1]) <= limit
        items = [item for page in found for item in page]
        keys = [item.get("content") or item.get("text") or int(item["sequence"]) for item in items]
        expected = list(range(1, count + 1)) if first else [str(number) for number in range(4)]
        assert keys == expected

    async def test_what_is_added_while_paging_comes_at_the_end_and_nothing_twice(self, desk: Desk) -> None:
        session = await desk.open_session()
        await desk.send(*(desk.command(add_message(session, str(number))) for number in range(3)))
        first = await see(desk, ListMessages(session_id=session, limit=2))
        await desk.ask(add_message(session, "3"))
        rest = await see(desk, ListMessages(session_id=session, limit=2, cursor=first["next_cursor"]))
        assert [item["content"] for item in first["items"] + rest["items"]] == ["0", "1", "2", "3"]

    async def test_a_page_ends_early_where_it_would_be_too_long_for_a_message(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("fix_outcomes.storage.pages.LONGEST_PAGE", 1_000)
        session = await desk.open_session()
        for _ in range(7):
            await desk.send(desk.command(add_message(session, "x" * 300)))
        found = await pages(desk, ListMessages(session_id=session, limit=200))
        assert [len(page) for page in found] == [2, 2, 2, 1]
        snapshot = await see(desk, GetSnapshot(session_id=session))
        assert [message["id"] for message in snapshot["messages"]] == [
            message["id"] for page in found for message in page
        ][-2:]
        assert snapshot["message_count"] == 7

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
    async def test_sessions_are_listed_newest_first_page_by_page(self, desk: Desk, limit: int) -> None:
        opened = [await desk.open_session() for _ in range(5)]
        found = await pages(desk, ListSessions(limit=limit))
        assert [UUID(item["id"]) for page in found for item in page] == opened[::-1]

    async def test_sessions_of_one_moment_are_each_listed_once(self, desk: Desk) -> None:
        answers = await desk.send(*(desk.command(create_session()) for _ in range(7)))
        assert len({answer.body["created_at"] for answer in answers}) == 1
        found = await pages(desk, ListSessions(limit=2))
        listed = [item["id"] for page in found for item in page]
        assert sorted(listed) == sorted(answer.body["id"] for answer in answers)

    async def test_sessions_can_be_listed_by_status(self, desk: Desk) -> None:
        one, two, three = [await desk.open_session() for _ in range(3)]
        await desk.ask(ResolveSession(session_id=one))
        await desk.ask(EscalateSession(session_id=two))
        for status, session in (("resolved", one), ("escalated", two), ("active", three)):
            body = await see(desk, ListSessions(status=SessionStatus(status)))
            assert [UUID(item["id"]) for item in body["items"]] == [session]

    async def test_the_history_of_a_fix_holds_its_own_changes_alone_page_by_page(self, desk: Desk) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        await desk.ask(outcome_of(session, fix, "applied_partial", "two of three"))
        await desk.suggest(session)
        await desk.ask(add_message(session))
        await desk.ask(outcome_of(session, fix, "applied_success", "all of them"))

        found = await pages(desk, ListHistory(session_id=session, fix_id=fix, limit=1))

        entries = [HistoryEntry.model_validate(item) for page in found for item in page]
        assert [(entry.sequence, entry.from_, entry.to, entry.notes) for entry in entries] == [
            (2, None, "proposed", None),
            (3, "proposed", "applied_partial", "two of three"),
            (6, "applied_partial", "applied_success", "all of them"),
        ]
        assert {entry.actor.id for entry in entries} == {SAM.id}

    @pytest.mark.parametrize("cursor", [2**31 - 1, 2**31, 2**62])
    @pytest.mark.parametrize("ask", [ListMessages, ListFacts, ListHistory, ListEvents])
    async def test_a_cursor_far_beyond_the_end_finds_nothing_and_harms_no_neighbour(
        self, desk: Desk, ask: Any, cursor: int
    ) -> None:
        session = await desk.open_session()

        beyond, neighbour = await look(
            desk, ask(session_id=session, cursor=cursor), GetSession(session_id=session)
        )

        assert (beyond.status, beyond.body) == (200, {"items": [], "next_cursor": None})
        assert neighbour.status == 200


class TestAnswers:
    async def test_a_session_is_shown_with_all_its_fixes_oldest_first(self, desk: Desk) -> None:
        session = await desk.open_session()
        fixes = [await desk.suggest(session) for _ in range(4)]

        body = await see(desk, GetSession(session_id=session))

        shown = SessionWithFixes.model_validate(body)
        assert [fix.id for fix in shown.fixes] == fixes
        assert (shown.state_version, shown.sequence) == (5, 5)
        assert {fix.state_version for fix in shown.fixes} == {5}
        listed = await see(desk, ListFixes(session_id=session))
        assert (listed["items"], listed["next_cursor"]) == (body["fixes"], None)

    async def test_reading_shows_what_the_change_was_answered_with(self, desk: Desk) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        recorded = await desk.ask(outcome_of(session, fix, "applied_pending", "bis 18 Uhr ✓"))
        assert await see(desk, GetFix(session_id=session, fix_id=fix)) == recorded.body
        assert Fix.model_validate(recorded.body).pending_reason == "bis 18 Uhr ✓"

    async def test_the_active_fix_is_the_newest_that_is_neither_superseded_nor_final(
        self, desk: Desk
    ) -> None:
        session = await desk.open_session()
        assert (await look(desk, GetActiveFix(session_id=session)))[0].status == 404
        parked = await desk.suggest(session)
        await desk.ask(outcome_of(session, parked, "applied_pending", "until tonight"))
        superseded, newest = await desk.suggest(session), await desk.suggest(session)

        assert (await see(desk, GetActiveFix(session_id=session)))["id"] == str(newest) != str(superseded)
        await desk.ask(outcome_of(session, newest, "dismissed"))
        assert (await see(desk, GetActiveFix(session_id=session)))["id"] == str(parked)
        await desk.ask(outcome_of(session, parked, "applied_success"))
        assert (await look(desk, GetActiveFix(session_id=session)))[0].status == 404

    async def test_an_operation_says_what_was_answered(self, desk: Desk) -> None:
        accepted, refused = desk.command(create_session()), desk.command(add_message(new_id()))
        first, second = await desk.send(accepted, refused)

        assert await see(desk, GetOperation(command_id=accepted.command_id)) == {
            "state": "succeeded",
            "http_status": 201,
            "answer": first.body,
            "accepted_at": accepted.issued_at.isoformat(),
        }
        rejected = await see(desk, GetOperation(command_id=refused.command_id))
        assert (rejected["state"], rejected["http_status"], rejected["answer"]) == (
            "rejected",
            404,
            second.body,
        )

    async def test_an_operation_under_a_key_that_another_request_has_used_is_rejected(
        self, desk: Desk
    ) -> None:
        asked = desk.command(create_session())
        await desk.send(asked)
        own, another = [
            await see(desk, GetOperation(command_id=asked.command_id, fingerprint=fingerprint))
            for fingerprint in (asked.fingerprint, "another")
        ]
        assert (own["state"], own["http_status"]) == ("succeeded", 201)
        assert (another["state"], another["http_status"]) == ("rejected", 422)
        assert another["answer"]["code"] == "idempotency_key_reused"

    async def test_an_operation_says_that_an_operator_must_look_until_it_is_decided(self, desk: Desk) -> None:
        asked = desk.command(create_session())
        named = Named(asked.command_id, asked.account_id)
        for reason in ("it failed", "it failed again"):
            await handlers.remember_parked([named], reason, engine=desk.engine, clock=lambda: asked.issued_at)
        assert await see(desk, GetOperation(command_id=asked.command_id)) == {"state": "parked"}
        await desk.send(asked)
        assert (await see(desk, GetOperation(command_id=asked.command_id)))["state"] == "succeeded"

    async def test_every_question_of_a_batch_is_answered_for_itself(self, desk: Desk) -> None:
        session = await desk.open_session()
        answers = await look(
            desk, GetSession(session_id=new_id()), GetSession(session_id=session), ListSessions()
        )
        assert [(answer.ref, answer.status) for answer in answers] == [(0, 404), (1, 200), (2, 200)]

    async def test_what_awaits_verification_is_listed_longest_waiting_first(self, desk: Desk) -> None:
        waiting = []
        for _ in range(3):
            session = await desk.open_session()
            fix = await desk.suggest(session)
            await desk.ask(outcome_of(session, fix, "applied_pending", "until tonight"))
            waiting.append((session, fix))
        await desk.ask(outcome_of(*waiting[0], "applied_pending", "until Monday"))
        await desk.ask(outcome_of(*waiting[1], "applied_success"))
        await desk.ask(EscalateSession(session_id=waiting[2][0]))

        found = await pages(desk, ListPendingVerifications(limit=1))

        shown = [item for page in found for item in page]
        assert [item["fix"]["id"] for item in shown] == [str(waiting[0][1]), str(waiting[2][1])]
        assert [item["reason"] for item in shown] == ["until Monday", "until tonight"]


class TestSnapshot:
    async def test_it_holds_everything_but_the_ais_guesses(self, desk: Desk) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        await desk.send(
            desk.command(add_message(session, "still down")),
            desk.command(confirm_fact(session, "WAN light off")),
            desk.command(ProposeOutcome(session_id=session, fix_id=fix, proposal=proposal())),
            desk.command(ClearProposal(session_id=session, fix_id=fix)),
            desk.command(ProposeOutcome(session_id=session, fix_id=fix, proposal=proposal())),
            desk.command(ApplyFix(session_id=session, fix_id=fix)),
            desk.command(outcome_of(session, fix, "applied_pending", "until tonight")),
            desk.command(ProposeOutcome(session_id=session, fix_id=fix, proposal=proposal())),
            desk.command(EscalateSession(session_id=session)),
        )

        body = await see(desk, GetSnapshot(session_id=session))

        snapshot = Snapshot.model_validate(body)
        assert snapshot.session.status == "escalated"
        assert [each.content for each in snapshot.messages] == ["still down"]
        assert [each.text for each in snapshot.facts] == ["WAN light off"]
        assert [each.kind for each in snapshot.transitions] == [
            "fix.suggested",
            "fix.applied",
            "fix.outcome_recorded",
            "session.escalated",
        ]
        assert [each.ai_outcome_proposal for each in snapshot.fixes] == [None]
        assert "internet is back" not in str(body)

    async def test_it_is_bounded_to_the_newest_oldest_first_and_counts_the_messages(self, desk: Desk) -> None:
        session = await desk.open_session()
        for start in range(0, 260, 130):
            await desk.send(*(desk.command(add_message(session, str(n))) for n in range(start, start + 130)))
        for start in range(0, 520, 130):
            await desk.send(*(desk.command(confirm_fact(session, str(n))) for n in range(start, start + 130)))
        fixes = 520
        for _ in range(0, fixes, 130):
            await desk.send(*(desk.command(suggest_fix(session)) for _ in range(130)))

        snapshot = Snapshot.model_validate(await see(desk, GetSnapshot(session_id=session)))

        assert snapshot.message_count == 260
        assert [int(each.content) for each in snapshot.messages] == list(range(60, 260))
        assert [int(each.text) for each in snapshot.facts] == list(range(20, 520))
        sequences = [each.sequence for each in snapshot.transitions]
        assert sequences == list(range(snapshot.session.sequence - 499, snapshot.session.sequence + 1))
        assert snapshot.session.state_version == 1 + 260 + 520 + 520


class TestEvents:
    async def test_they_are_what_the_relay_publishes_to_the_byte(
        self, desk: Desk, owner: Any, database: Database
    ) -> None:
        session = await desk.open_session()
        fix = await desk.suggest(session)
        await desk.ask(outcome_of(session, fix, "applied_pending", "bis 18 Uhr ✓"))
        await desk.ask(outcome_of(session, fix, "applied_success"))

        body = await see(desk, ListEvents(session_id=session))

        engine = connect(database.relay_url, name="relay", connections=1)
        async with raw(engine) as relay:
            waiting = await outbox.unpublished(relay, limit=100_000)
        await engine.dispose()
        assert body["items"] == [rows.event(row) for row in waiting if row["session_id"] == session]
        assert [name_of(item["type"]) for item in body["items"]] == [
            "session.created",
            "fix.suggested",
            "fix.outcome_recorded",
            "fix.outcome_recorded",
        ]
        for item in body["items"]:
            event = CloudEvent.model_validate(item)
            DATA[name_of(event.type)].model_validate(event.data)
            assert (event.data["session_id"], event.data["account_id"]) == (str(session), str(desk.account))

    async def test_they_resume_after_any_sequence_without_a_gap(self, desk: Desk) -> None:
        session = await desk.open_session()
        await desk.send(*(desk.command(add_message(session)) for _ in range(4)))
        for seen in range(6):
            body = await see(desk, ListEvents(session_id=session, cursor=seen))
            assert [int(item["sequence"]) for item in body["items"]] == list(range(seen + 1, 6))


class TestIsolation:
    @pytest.mark.parametrize("role", ["runtime", "admin"])
    async def test_every_question_about_another_accounts_things_is_answered_as_about_unknown_ones(
        self, desk: Desk, other_desk: Desk, database: Database, role: str
    ) -> None:
        """As the owner, whom no row-level security binds, too: the questions name the account themselves."""
        session = await desk.open_session()
        fix = await desk.suggest(session)
        asked = desk.command(add_message(session, "our secret"))
        await desk.send(asked)
        own = await other_desk.open_session()

        def about(session: UUID, fix: UUID, command_id: UUID) -> list[Record]:
            return [
                GetSession(session_id=session),
                ListMessages(session_id=session),
                ListFacts(session_id=session),
                ListFixes(session_id=session),
                GetActiveFix(session_id=session),
                GetFix(session_id=session, fix_id=fix),
                GetFix(session_id=own, fix_id=fix),
                ListHistory(session_id=session),
                ListHistory(session_id=session, fix_id=fix),
                ListHistory(session_id=own, fix_id=fix),
                ListEvents(session_id=session),
                GetOperation(command_id=command_id),
                GetSnapshot(session_id=session),
            ]

        engine = connect(getattr(database, f"{role}_url"), name="stranger", connections=1)
        stranger = Desk(engine, other_desk.account)
        foreign = await look(stranger, *about(session, fix, asked.command_id))
        unknown = await look(stranger, *about(new_id(), new_id(), new_id()))
        assert [item["id"] for item in (await see(stranger, ListSessions()))["items"]] == [str(own)]
        assert (await see(stranger, ListSessions(cursor=session)))["items"] == []
        assert (await see(stranger, ListPendingVerifications()))["items"] == []
        await engine.dispose()

        assert [answer.status for answer in foreign] == [404] * len(foreign)
        assert [answer.body for answer in foreign] == [answer.body for answer in unknown]
        assert all(
            answer.status == 200 for answer in await look(desk, *about(session, fix, asked.command_id)[:6])
        )

    async def test_lists_show_the_own_account_alone_and_a_foreign_cursor_finds_nothing(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        theirs = await desk.open_session()
        fix = await desk.suggest(theirs)
        await desk.ask(outcome_of(theirs, fix, "applied_pending", "until tonight"))
        own = await other_desk.open_session()

        listed = await see(other_desk, ListSessions())
        assert [item["id"] for item in listed["items"]] == [str(own)]
        for cursor in (theirs, new_id()):
            assert await see(other_desk, ListSessions(cursor=cursor)) == {"items": [], "next_cursor": None}
        assert (await see(other_desk, ListPendingVerifications()))["items"] == []
        for cursor in (fix, new_id()):
            body = await see(other_desk, ListPendingVerifications(cursor=cursor))
            assert body == {"items": [], "next_cursor": None}

    async def test_questions_of_two_accounts_in_one_batch_see_only_their_own(
        self, desk: Desk, other_desk: Desk
    ) -> None:
        mine, theirs = await desk.open_session(), await other_desk.open_session()
        batch = [
            Query(ref=number, account_id=each.account, question=GetSession(session_id=session))
            for number, (each, session) in enumerate(
                [(desk, mine), (desk, theirs), (other_desk, mine), (other_desk, theirs)]
            )
        ]
        answers = await handlers.answer(batch, engine=desk.engine)
        assert [answer.status for answer in answers] == [200, 404, 404, 200]


def test_every_kind_of_question_about_a_session_is_in_the_isolation_test() -> None:
    """A new question must be added there."""
    source = inspect.getsource(TestIsolation)
    assert [kind.__name__ for kind in get_args(Record) if f"{kind.__name__}(" not in source] == []
