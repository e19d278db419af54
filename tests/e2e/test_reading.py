"""What is read: every field that was promised, and every list in pages."""

import asyncio

import pytest
from e2e.client import SESSIONS, Person, fix_path

FIX_FIELDS = {
    "id",
    "session_id",
    "title",
    "description",
    "confidence_pct",
    "status",
    "applied_at",
    "verified_at",
    "partial_notes",
    "pending_reason",
    "failure_reason",
    "ai_outcome_proposal",
    "superseded_at",
    "created_at",
    "updated_at",
    "state_version",
    "allowed_outcomes",
}
SESSION_FIELDS = {
    "id",
    "title",
    "status",
    "session_type",
    "intake_type",
    "intake_content",
    "ticket",
    "state_version",
    "sequence",
    "created_by",
    "created_at",
    "updated_at",
}
MESSAGE_FIELDS = {"id", "role", "content", "author", "created_at"}
FACT_FIELDS = {"id", "text", "visibility", "author", "created_at"}
ENTRY_FIELDS = {"sequence", "state_version", "kind", "actor", "at", "command_id"}
TICKET = {"system": "halopsa", "id": "4711", "url": "https://psa.example/tickets/4711"}


async def test_every_answer_has_the_fields_that_were_promised(engineer: Person) -> None:
    session_id = await engineer.open_session(title="Reception offline", ticket=TICKET)
    fix = await engineer.suggest(session_id)
    session = f"{SESSIONS}/{session_id}"
    assert set((await engineer.get(fix_path(fix))).good()) == FIX_FIELDS
    assert set((await engineer.apply(fix)).good()) == FIX_FIELDS
    assert set((await engineer.get(session)).good()) == SESSION_FIELDS | {"fixes"}
    assert set((await engineer.get(SESSIONS)).items[0]) == SESSION_FIELDS
    assert set((await engineer.say(session_id, "hello")).good()) == MESSAGE_FIELDS
    assert set((await engineer.confirm(session_id)).good()) == FACT_FIELDS
    for entry in (await engineer.get(f"{session}/history")).items:
        assert ENTRY_FIELDS <= set(entry) <= ENTRY_FIELDS | {"fix_id", "from", "to", "notes"}


async def test_a_session_shows_what_it_was_opened_with(engineer: Person) -> None:
    session_id = await engineer.open_session(title="Reception offline", ticket=TICKET)
    shown = await engineer.session(session_id)
    assert shown.title == "Reception offline"
    assert shown.ticket
    assert shown.ticket.model_dump() == TICKET
    assert (shown.status, shown.created_by.name) == ("active", "Ada")


async def test_times_are_rfc_3339_in_utc(engineer: Person) -> None:
    applied = (await engineer.apply(await engineer.suggested_fix())).good()
    for name in ("applied_at", "created_at", "updated_at"):
        assert applied[name].endswith(("Z", "+00:00"))
        assert "T" in applied[name]


@pytest.mark.parametrize("things", ["messages", "facts", "history"])
@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_a_list_comes_in_pages_oldest_first_without_gap_or_repeat(
    engineer: Person, things: str, limit: int
) -> None:
    session_id = await engineer.open_session()
    for number in range(5):
        if things == "messages":
            (await engineer.say(session_id, f"{number}")).good()
        else:
            (await engineer.confirm(session_id, f"{number}")).good()
    path = f"{SESSIONS}/{session_id}/{things}"
    pages = await engineer.pages(path, limit=limit)
    assert all(len(page) == limit for page in pages[:-1])
    assert 0 < len(pages[-1]) <= limit
    items = [item for page in pages for item in page]
    assert items == (await engineer.get(path)).items
    if things == "history":
        assert [item["sequence"] for item in items] == [1, 2, 3, 4, 5, 6]
    else:
        assert [item.get("content") or item["text"] for item in items] == ["0", "1", "2", "3", "4"]


async def test_the_transitions_of_a_fix_come_in_pages(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    for number in range(4):
        await engineer.record(fix, "applied_partial", f"step {number}")
    pages = await engineer.pages(f"{fix_path(fix)}/transitions", limit=2)
    assert [[item.get("notes") for item in page] for page in pages] == [
        [None, "step 0"],
        ["step 1", "step 2"],
        ["step 3"],
    ]


async def test_sessions_come_in_pages_newest_first(engineer: Person) -> None:
    opened = [await engineer.open_session() for _ in range(5)]
    pages = await engineer.pages(SESSIONS, limit=2)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [item["id"] for page in pages for item in page] == [str(each) for each in reversed(opened)]


async def test_sessions_that_are_opened_meanwhile_disturb_no_page(engineer: Person) -> None:
    opened = [await engineer.open_session() for _ in range(4)]
    first = (await engineer.get(SESSIONS, params={"limit": 2})).good()
    await engineer.open_session()
    second = (await engineer.get(SESSIONS, params={"limit": 2, "cursor": first["next_cursor"]})).good()
    assert [item["id"] for item in first["items"] + second["items"]] == [str(e) for e in reversed(opened)]
    assert second["next_cursor"] is None


async def test_sessions_are_found_by_their_status(engineer: Person) -> None:
    active, resolved, escalated = [await engineer.open_session() for _ in range(3)]
    await asyncio.gather(engineer.resolve(resolved), engineer.escalate(escalated))
    for status, session_id in (("active", active), ("resolved", resolved), ("escalated", escalated)):
        found = (await engineer.get(SESSIONS, params={"status": status})).items
        assert [item["id"] for item in found] == [str(session_id)]


async def test_the_fixes_of_a_session_are_listed_oldest_first(engineer: Person) -> None:
    first = await engineer.suggested_fix()
    second = await engineer.suggest(first.session_id)
    listed = (await engineer.get(f"{SESSIONS}/{first.session_id}/suggested-fixes")).good()
    assert [item["id"] for item in listed["items"]] == [str(first.id), str(second.id)]
    assert listed["next_cursor"] is None
    assert (await engineer.session(first.session_id)).model_dump(mode="json")["fixes"] == listed["items"]


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "!"}, {"cursor": "eA"}]
)
@pytest.mark.parametrize("things", ["messages", "facts", "history", ""])
async def test_a_page_that_cannot_be_is_422(engineer: Person, things: str, query: dict[str, object]) -> None:
    session_id = await engineer.open_session()
    path = f"{SESSIONS}/{session_id}/{things}" if things else SESSIONS
    refused = await engineer.get(path, params=query)
    assert (refused.status, refused.code) == (422, "invalid")


async def test_an_unknown_status_is_422(engineer: Person) -> None:
    assert (await engineer.get(SESSIONS, params={"status": "asleep"})).status == 422


async def test_an_account_sees_its_own_sessions_only(engineer: Person, stranger: Person) -> None:
    mine, theirs = await engineer.open_session(), await stranger.open_session()
    assert [item["id"] for item in (await engineer.get(SESSIONS)).items] == [str(mine)]
    assert [item["id"] for item in (await stranger.get(SESSIONS)).items] == [str(theirs)]


async def test_an_account_sees_what_itself_waits_for_only(engineer: Person, stranger: Person) -> None:
    for person in (engineer, stranger):
        for _ in range(3):
            await person.record(await person.suggested_fix(), "applied_pending", person.token[-12:])
    for person in (engineer, stranger):
        pages = await person.pages("/api/v1/pending-verifications", limit=2)
        assert [len(page) for page in pages] == [2, 1]
        assert all(person.token[-12:] in str(item) for page in pages for item in page)
