"""Another account's ids answer exactly as unknown ones, on every route that takes one. A new route must be added."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from e2e.client import FIX, PROPOSAL, SESSIONS, Answer, Person
from shared.contracts.views import Fix

ONE = f"{SESSIONS}/{{session_id}}"
FIXES = f"{ONE}/suggested-fixes"
ONE_FIX = f"{FIXES}/{{fix_id}}"
OPERATION = "/api/v1/operations/{operation_id}"

ROUTES: Mapping[tuple[str, str], dict[str, Any] | None] = {
    ("GET", ONE): None,
    ("GET", f"{ONE}/messages"): None,
    ("POST", f"{ONE}/messages"): {"role": "engineer", "content": "hello"},
    ("GET", f"{ONE}/facts"): None,
    ("POST", f"{ONE}/facts"): {"text": "The line has sync"},
    ("GET", f"{ONE}/history"): None,
    ("POST", f"{ONE}/resolve"): None,
    ("POST", f"{ONE}/escalate"): None,
    ("GET", f"{ONE}/events"): None,
    ("POST", f"{ONE}/resolution-note/preview"): None,
    ("POST", f"{ONE}/escalation-package/preview"): None,
    ("POST", f"{ONE}/notes/lint"): {"kind": "resolution_note", "markdown": "## Problem"},
    ("POST", FIXES): FIX,
    ("GET", FIXES): None,
    ("GET", f"{FIXES}/active"): None,
    ("GET", ONE_FIX): None,
    ("PATCH", f"{ONE_FIX}/outcome"): {"outcome": "applied_success"},
    ("POST", f"{ONE_FIX}/apply"): None,
    ("PUT", f"{ONE_FIX}/ai-outcome-proposal"): PROPOSAL,
    ("DELETE", f"{ONE_FIX}/ai-outcome-proposal"): None,
    ("GET", f"{ONE_FIX}/transitions"): None,
    ("GET", OPERATION): None,
}
CHANGES = [route for route in ROUTES if route[0] != "GET" and not route[1].endswith(("/preview", "/lint"))]
WITH_FIX = [route for route in ROUTES if "{fix_id}" in route[1]]

every_route = pytest.mark.parametrize(("method", "template"), ROUTES)
every_change = pytest.mark.parametrize(("method", "template"), CHANGES)
every_route_with_a_fix = pytest.mark.parametrize(("method", "template"), WITH_FIX)


@dataclass(frozen=True)
class Ids:
    """What a path may be filled in with."""

    session_id: UUID
    fix_id: UUID
    operation_id: str

    @classmethod
    def of(cls, fix: Fix, operation_id: str) -> "Ids":
        return cls(fix.session_id, fix.id, operation_id)

    @classmethod
    def unknown(cls) -> "Ids":
        return cls(uuid4(), uuid4(), "A" * 54)

    def fill(self, template: str) -> str:
        return template.format(**vars(self))


async def _belongings(person: Person) -> Ids:
    """A session of this person with a fix, and an operation on it."""
    fix = await person.suggested_fix()
    queued = await person.post(
        f"{SESSIONS}/{fix.session_id}/facts", {"text": "It is cabled"}, prefer="respond-async"
    )
    assert queued.status == 202
    return Ids.of(fix, queued.operation.operation_id)


def _seen(answer: Answer) -> tuple[int, dict[str, Any], dict[str, str]]:
    """All of an answer but what names the request: instance, trace and their length."""
    body = {name: value for name, value in answer.body.items() if name not in ("instance", "trace_id")}
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("date", "content-length", "server")
    }
    return answer.status, body, headers


async def test_every_route_with_an_id_in_it_is_in_the_table(engineer: Person) -> None:
    schema = (await engineer.http.get(engineer.address("/openapi.json"))).json()
    served = {
        (method.upper(), path)
        for path, operations in schema["paths"].items()
        for method in operations
        if "{" in path
    }
    assert served == set(ROUTES)


@every_route
async def test_foreign_ids_answer_as_unknown_ids_do(
    engineer: Person, stranger: Person, method: str, template: str
) -> None:
    foreign = await engineer.ask(
        method, (await _belongings(stranger)).fill(template), ROUTES[method, template]
    )
    unknown = await engineer.ask(method, Ids.unknown().fill(template), ROUTES[method, template])
    assert (unknown.status, unknown.code) == (404, "not_found")
    assert _seen(foreign) == _seen(unknown)


@every_route
async def test_own_ids_answer_otherwise(engineer: Person, method: str, template: str) -> None:
    """Else the test above would prove nothing."""
    ids = await _belongings(engineer)
    if template.endswith("/events"):
        return  # it does not end; the tests of the stream show that it opens
    answer = await engineer.ask(method, ids.fill(template), ROUTES[method, template])
    assert answer.status in (200, 201), answer


@every_change
async def test_a_change_of_foreign_things_changes_nothing(
    engineer: Person, stranger: Person, method: str, template: str
) -> None:
    fix = await stranger.suggested_fix()
    before = await stranger.session(fix.session_id)
    path = Ids.of(fix, "none").fill(template)
    for more in ({}, {"key": str(uuid4())}, {"if_match": before.state_version}, {"prefer": "wait=1"}):
        assert (await engineer.ask(method, path, ROUTES[method, template], **more)).status == 404
    assert await stranger.session(fix.session_id) == before


@every_route_with_a_fix
async def test_a_foreign_fix_under_an_own_session_is_unknown(
    engineer: Person, stranger: Person, method: str, template: str
) -> None:
    own, theirs = await engineer.suggested_fix(), await stranger.suggested_fix()
    body = ROUTES[method, template]
    foreign = await engineer.ask(method, Ids(own.session_id, theirs.id, "").fill(template), body)
    unknown = await engineer.ask(method, Ids(own.session_id, uuid4(), "").fill(template), body)
    assert foreign.status == 404
    assert _seen(foreign) == _seen(unknown)


async def test_a_foreign_cursor_shows_nothing_of_its_account(engineer: Person, stranger: Person) -> None:
    mine = [await engineer.open_session() for _ in range(2)]
    for _ in range(2):
        await stranger.open_session()
    cursor = (await stranger.get(SESSIONS, params={"limit": 1})).good()["next_cursor"]
    shown = (await engineer.get(SESSIONS, params={"cursor": cursor})).items
    assert {item["id"] for item in shown} <= {str(each) for each in mine}


async def test_a_queued_change_of_foreign_things_is_rejected_as_not_found(
    engineer: Person, stranger: Person
) -> None:
    fix = await stranger.suggested_fix()
    queued = await engineer.record(fix, "applied_success", prefer="respond-async")
    assert queued.status == 202
    while (shown := await engineer.get(queued.headers["Location"])).operation.status == "pending":
        pass
    assert (shown.operation.status, shown.operation.http_status) == ("rejected", 404)
    assert await stranger.fix(fix) == fix
