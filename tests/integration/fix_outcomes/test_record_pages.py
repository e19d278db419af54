"""Every list of the record is read page by page: all of it, once and in order."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest
from fix_outcomes_desk import Desk
from fix_outcomes_doubles import SAM, add_message, confirm_fact, create_session, outcome_of
from integration.fix_outcomes.questions import look, pages, see
from shared.contracts.commands import EscalateSession, ResolveSession
from shared.contracts.queries import (
    GetSession,
    GetSnapshot,
    ListEvents,
    ListFacts,
    ListHistory,
    ListMessages,
    ListSessions,
)
from shared.contracts.views import HistoryEntry
from shared.contracts.vocabulary import SessionStatus


class TestPaging:
    LISTS: Mapping[str, tuple[Callable[[UUID, str], Any], Any]] = {
        "messages": (add_message, ListMessages),
        "facts": (confirm_fact, ListFacts),
        "history": (add_message, ListHistory),
        "events": (add_message, ListEvents),
    }

    @pytest.mark.parametrize("name", LISTS)
    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 200])
    async def test_pages_hold_everything_once_oldest_first_and_the_last_says_so(
        self, desk: Desk, name: str, limit: int
    ) -> None:
        act, query = self.LISTS[name]
        session = await desk.open_session()
        await desk.send(*(desk.command(act(session, str(number))) for number in range(4)))
        first = 0 if name in {"messages", "facts"} else 1
        count = 4 + first

        found = await pages(desk, query(session_id=session, limit=limit))

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
