"""What the gateway refuses by itself, and how its refusals look."""

import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from devstack.stack import Stack
from devstack.tokens import mint
from e2e.client import FIX, INTAKE, SESSIONS, Answer, Person, fix_path

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "trace_id"}
INTERNALS = re.compile(
    r"Traceback|File \"|sqlalchemy|asyncpg|aio_pika|psycopg|pydantic|select |insert |postgres|rabbitmq|127\.0\.0\.1",
    re.IGNORECASE,
)
SESSION = {"session_type": "chat", "intake_type": "free_text", "intake_content": {"text": INTAKE}}


def _assert_problem(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert set(answer.body) >= MEMBERS
    assert answer.body["status"] == status
    assert answer.body["type"] == f"urn:resolutionflow:problem:{code}"
    assert re.fullmatch("[0-9a-f]{32}", answer.body["trace_id"])
    assert answer.body["instance"] == answer.response.request.url.raw_path.decode().partition("?")[0]
    assert not INTERNALS.search(answer.response.text)


async def test_every_refusal_is_a_problem_with_a_stable_code_and_nothing_internal(
    engineer: Person, viewer: Person
) -> None:
    fix = await engineer.applied_fix()
    session = f"{SESSIONS}/{fix.session_id}"
    nobody = {"Authorization": "Bearer nobody"}
    _assert_problem(await engineer.get(session, headers=nobody), 401, "unauthenticated")
    _assert_problem(await viewer.apply(fix), 403, "forbidden")
    _assert_problem(await engineer.get(f"{SESSIONS}/{uuid4()}"), 404, "not_found")
    _assert_problem(await engineer.get("/api/v1/no-such-thing"), 404, "not_found")
    _assert_problem(await engineer.record(fix, "applied_pending"), 400, "notes_required")
    _assert_problem(await engineer.record(fix, "worked"), 422, "invalid")
    _assert_problem(await engineer.record(fix, "dismissed", if_match=1), 412, "version_conflict")
    _assert_problem(await engineer.resolve(fix.session_id), 409, "fix_needs_outcome")
    _assert_problem(await engineer.ask("DELETE", session), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "another-secret-of-at-least-32-bytes"},
        {"ttl": timedelta(seconds=-1)},
        {"role": "root"},
    ],
    ids=str,
)
async def test_a_token_that_proves_nothing_is_401(stack: Stack, engineer: Person, wrong: Any) -> None:
    claims = {"secret": stack.jwt_secret, "account_id": engineer.account_id, "role": "engineer", **wrong}
    headers = {"Authorization": f"Bearer {mint(claims.pop('secret'), **claims)}"}
    refused = await engineer.get(SESSIONS, headers=headers)
    _assert_problem(refused, 401, "unauthenticated")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_problem_takes_the_trace_of_its_request(engineer: Person) -> None:
    trace = uuid4().hex
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    refused = await engineer.get(f"{SESSIONS}/{uuid4()}", headers=headers)
    assert refused.body["trace_id"] == trace


async def test_a_body_that_says_it_is_too_long_is_413(engineer: Person) -> None:
    _assert_problem(await engineer.post(SESSIONS, {"title": "x" * 262_144}), 413, "payload_too_large")


async def test_a_body_that_turns_out_too_long_is_413(engineer: Person) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(9):
            yield b" " * 32_768

    _assert_problem(await engineer.post(SESSIONS, content=endless()), 413, "payload_too_large")


async def test_a_body_in_pieces_is_taken_up_to_the_limit(engineer: Person) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        whole = json.dumps(SESSION).encode()
        yield whole[:20]
        yield b" " * 0
        yield whole[20:]

    opened = await engineer.post(SESSIONS, content=pieces(), headers={"Content-Type": "application/json"})
    assert opened.status == 201


async def test_a_body_of_just_256_kib_is_not_413(engineer: Person) -> None:
    body = json.dumps(SESSION).encode().ljust(262_144)
    opened = await engineer.post(SESSIONS, content=body, headers={"Content-Type": "application/json"})
    assert opened.status == 201


@pytest.mark.parametrize(
    "broken",
    [
        {**SESSION, "account_id": "0192f000-0000-7000-8000-00000000000a"},
        {**SESSION, "intake_content": {"text": INTAKE, "html": "<b>"}},
        {**SESSION, "ticket": {"system": "halo", "id": "1", "secret": "x"}},
        {**SESSION, "session_type": "voice"},
        {**SESSION, "intake_content": {"text": "  "}},
        {**SESSION, "title": "a\x00b"},
        {**SESSION, "ticket": {"system": "halo", "id": "1", "url": "javascript:alert(1)"}},
        {},
        [],
        "text",
    ],
    ids=repr,
)
async def test_a_session_of_another_shape_is_422(engineer: Person, broken: object) -> None:
    _assert_problem(await engineer.ask("POST", SESSIONS, json=broken), 422, "invalid")


@pytest.mark.parametrize("text", ["nul \\u0000", "lone \\ud800 high", "lone \\udfff low"])
@pytest.mark.parametrize("way", ["outcome", "facts", "messages", "suggested-fixes", "ai-outcome-proposal"])
async def test_text_that_cannot_be_stored_is_422(engineer: Person, text: str, way: str) -> None:
    fix = await engineer.suggested_fix()
    session = f"{SESSIONS}/{fix.session_id}"
    method, path, body = {
        "outcome": ("PATCH", f"{fix_path(fix)}/outcome", '{"outcome": "applied_failed", "notes": "%s"}'),
        "facts": ("POST", f"{session}/facts", '{"text": "%s"}'),
        "messages": ("POST", f"{session}/messages", '{"role": "client", "content": "%s"}'),
        "suggested-fixes": ("POST", f"{session}/suggested-fixes", json.dumps({**FIX, "title": "?"})),
        "ai-outcome-proposal": (
            "PUT",
            f"{fix_path(fix)}/ai-outcome-proposal",
            '{"outcome": "success", "reason": "%s"}',
        ),
    }[way]
    content = body.replace("%s", text).replace('"?"', f'"{text}"')
    refused = await engineer.ask(method, path, content=content, headers={"Content-Type": "application/json"})
    _assert_problem(refused, 422, "invalid")
    assert await engineer.version(fix.session_id) == fix.state_version


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"outcome": NaN}', b"null"])
async def test_a_body_that_is_no_json_object_is_422(engineer: Person, content: bytes) -> None:
    path = f"{fix_path(await engineer.suggested_fix())}/outcome"
    headers = {"Content-Type": "application/json"}
    _assert_problem(await engineer.ask("PATCH", path, content=content, headers=headers), 422, "invalid")


async def test_an_unknown_field_of_an_outcome_is_422(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    body = {"outcome": "applied_success", "verified_at": "2020-01-01T00:00:00Z"}
    _assert_problem(await engineer.ask("PATCH", f"{fix_path(fix)}/outcome", body), 422, "invalid")
    assert (await engineer.fix(fix)).status == "proposed"


@pytest.mark.parametrize("bad", ["1", "not-a-uuid", "0192f000-0000-7000-8000-00000000000g", "%00"])
async def test_an_id_that_is_no_uuid_is_422(engineer: Person, bad: str) -> None:
    fix = await engineer.suggested_fix()
    for path in (f"{SESSIONS}/{bad}", f"{SESSIONS}/{fix.session_id}/suggested-fixes/{bad}"):
        _assert_problem(await engineer.get(path), 422, "invalid")


async def test_other_spellings_of_an_id_mean_the_same(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    path = fix_path(fix).replace(str(fix.id), str(fix.id).upper())
    assert (await engineer.ask("PATCH", f"{path}/outcome", {"outcome": "dismissed"})).fix.id == fix.id


async def test_who_asks_too_fast_is_429_until_the_time_that_is_said(stack: Stack, engineer: Person) -> None:
    slow = stack.gateway_urls[2]
    answers = [await engineer.get(f"{SESSIONS}?limit=1") for _ in range(2)]
    assert {answer.status for answer in answers} == {200}
    asked = [
        Answer(
            await engineer.http.get(
                f"{slow}{SESSIONS}", headers={"Authorization": f"Bearer {engineer.token}"}
            )
        )
        for _ in range(4)
    ]
    assert [answer.status for answer in asked] == [200, 200, 200, 429]
    _assert_problem(asked[-1], 429, "rate_limited")
    assert int(asked[-1].headers["Retry-After"]) >= 1


async def test_an_account_that_asks_too_fast_slows_no_other(
    stack: Stack, engineer: Person, stranger: Person
) -> None:
    slow = f"{stack.gateway_urls[2]}{SESSIONS}"
    busy, calm = ({"Authorization": f"Bearer {person.token}"} for person in (engineer, stranger))
    assert 429 in [(await engineer.http.get(slow, headers=busy)).status_code for _ in range(5)]
    assert (await engineer.http.get(slow, headers=calm)).status_code == 200


async def test_no_page_of_another_origin_may_read_answers(engineer: Person) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    shown = await engineer.get(SESSIONS, headers=origin)
    asked = await engineer.ask(
        "OPTIONS", SESSIONS, headers={**origin, "Access-Control-Request-Method": "POST"}
    )
    assert shown.status == 200
    assert asked.status == 405
    for answer in (shown, asked):
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


async def test_a_method_that_is_not_there_is_405_and_names_those_that_are(engineer: Person) -> None:
    refused = await engineer.ask("DELETE", SESSIONS)
    _assert_problem(refused, 405, "method_not_allowed")
    assert set(refused.headers["Allow"].replace(" ", "").split(",")) >= {"GET", "POST"}


@pytest.mark.parametrize("path", [f"{SESSIONS}/", "/api/v1//ai-sessions", "/api/v2/ai-sessions", "/api/v1"])
async def test_a_path_that_is_not_there_is_404_and_no_redirect(engineer: Person, path: str) -> None:
    _assert_problem(await engineer.get(path), 404, "not_found")


async def test_head_is_405_without_a_body(engineer: Person) -> None:
    refused = await engineer.ask("HEAD", SESSIONS)
    assert (refused.status, refused.response.content) == (405, b"")
    assert refused.headers["Content-Type"] == "application/problem+json"


async def test_answers_are_not_kept_by_anyone_between(engineer: Person) -> None:
    answer = await engineer.get(SESSIONS)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/asyncapi", "/openapi.json"])
async def test_what_is_outside_the_api_needs_no_token(engineer: Person, path: str) -> None:
    assert (await engineer.http.get(engineer.address(path))).status_code == 200


async def test_the_gateway_publishes_its_messages_as_asyncapi_3(engineer: Person) -> None:
    document = (await engineer.http.get(engineer.address("/asyncapi"))).json()
    assert document["asyncapi"].startswith("3.")
    assert "fix.outcome_recorded" in json.dumps(document)
