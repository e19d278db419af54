"""Every route by every way not to be allowed. A route that is not in the table fails the test."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gateway.app import create_app
from gateway.receipts import Receipt, Receipts
from starlette.routing import Mount, Route
from unit.gateway.gateway_doubles import (
    ACCOUNT,
    FIX,
    SESSION,
    Bench,
    KeyPair,
    answer,
    by_hand,
    claims,
    settings,
    signed,
)

SESSIONS = "/api/v1/ai-sessions"
ONE = f"{SESSIONS}/{{session_id}}"
FIXES = f"{ONE}/suggested-fixes"
FIX_PATH = f"{FIXES}/{{fix_id}}"

EVERYONE = frozenset({"viewer", "engineer", "lead", "admin", "service"})
PEOPLE = frozenset({"engineer", "lead", "admin"})
WRITERS = PEOPLE | {"service"}

SESSION_BODY = {
    "session_type": "chat",
    "intake_type": "free_text",
    "intake_content": {"text": "No internet at reception"},
}
PROPOSAL_BODY = {"outcome": "success", "reason": "Client: internet is back"}

ROUTES: Mapping[tuple[str, str], tuple[frozenset[str], dict[str, Any] | None]] = {
    ("POST", SESSIONS): (WRITERS, SESSION_BODY),
    ("GET", SESSIONS): (EVERYONE, None),
    ("GET", ONE): (EVERYONE, None),
    ("GET", f"{ONE}/messages"): (EVERYONE, None),
    ("POST", f"{ONE}/messages"): (WRITERS, {"role": "client", "content": "It is back"}),
    ("GET", f"{ONE}/facts"): (EVERYONE, None),
    ("POST", f"{ONE}/facts"): (WRITERS, {"text": "The line has sync"}),
    ("GET", f"{ONE}/history"): (EVERYONE, None),
    ("POST", f"{ONE}/resolve"): (PEOPLE, None),
    ("POST", f"{ONE}/escalate"): (PEOPLE, None),
    ("GET", f"{ONE}/events"): (EVERYONE, None),
    ("POST", f"{ONE}/resolution-note/preview"): (EVERYONE, None),
    ("POST", f"{ONE}/escalation-package/preview"): (EVERYONE, None),
    ("POST", f"{ONE}/notes/lint"): (EVERYONE, {"kind": "resolution_note", "markdown": "## Problem"}),
    ("POST", FIXES): (WRITERS, {"title": "Firmware", "description": "3.2.1", "confidence_pct": 80}),
    ("GET", FIXES): (EVERYONE, None),
    ("GET", f"{FIXES}/active"): (EVERYONE, None),
    ("GET", FIX_PATH): (EVERYONE, None),
    ("PATCH", f"{FIX_PATH}/outcome"): (PEOPLE, {"outcome": "applied_success"}),
    ("POST", f"{FIX_PATH}/apply"): (PEOPLE, None),
    ("PUT", f"{FIX_PATH}/ai-outcome-proposal"): (WRITERS, PROPOSAL_BODY),
    ("DELETE", f"{FIX_PATH}/ai-outcome-proposal"): (WRITERS, None),
    ("GET", f"{FIX_PATH}/transitions"): (EVERYONE, None),
    ("GET", "/api/v1/pending-verifications"): (EVERYONE, None),
    ("GET", "/api/v1/operations/{operation_id}"): (EVERYONE, None),
}
OPEN = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/docs",
    "/docs/files",
    "/docs/oauth2-redirect",
    "/openapi.json",
    "/asyncapi",
    "/sign-in",
}

STRANGER = KeyPair()

Forgery = Callable[[KeyPair], str]
FORGERIES: Mapping[str, Forgery] = {
    "no token": lambda _: "",
    "not a token": lambda _: "not.a.token",
    "expired": lambda keys: keys.signed(exp=time.time() - 1),
    "wrong issuer": lambda keys: keys.signed(iss="somebody-else"),
    "wrong audience": lambda keys: keys.signed(aud="something-else"),
    "alg none": lambda _: by_hand({"alg": "none", "kid": "first"}, claims(), None),
    "HS256 with the public key": lambda keys: keys.signed_with_the_public_key(),
    "unknown kid": lambda keys: keys.signed(kid="second"),
    "no kid": lambda keys: keys.signed(kid=None),
    "another key under a known kid": lambda _: STRANGER.signed(),
    "no expiry": lambda keys: keys.signed(exp=None),
    "no account": lambda keys: keys.signed(account_id=None),
    "account that is no UUID": lambda keys: keys.signed(account_id="1 or 1=1"),
    "no subject": lambda keys: keys.signed(sub=None),
    "unknown role": lambda keys: keys.signed(role="root"),
}


def _path(template: str) -> str:
    receipt = Receipt(FIX, datetime.now(UTC), "0" * 32)
    operation_id = Receipts(settings().operation_key.get_secret_value()).write(receipt, account_id=ACCOUNT)
    return template.format(session_id=SESSION, fix_id=FIX, operation_id=operation_id)


def _served() -> Iterator[tuple[str, str]]:
    for path, operations in create_app(settings()).openapi()["paths"].items():
        for method in operations:
            yield method.upper(), path


def test_every_route_that_is_served_is_in_the_matrix() -> None:
    assert set(_served()) == set(ROUTES)


def test_every_route_outside_the_schema_is_known_to_be_open() -> None:
    in_schema = {path for _, path in ROUTES}
    app = create_app(settings())
    outside = {path for path in _paths(app.routes) if path not in in_schema}
    assert outside == OPEN


def _paths(routes: Iterable[Any]) -> Iterator[str]:
    for route in routes:
        if isinstance(route, Route | Mount):
            yield route.path
        else:
            yield from _paths(route.original_router.routes)


@pytest.fixture(scope="module")
def published(key_pair: KeyPair, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A gateway that verifies by a JWKS."""
    jwks: Path = key_pair.jwks(tmp_path_factory.mktemp("keys"))
    return Bench(jwt_secret=None, jwks_file=jwks)


@pytest.mark.parametrize(("method", "template"), ROUTES)
@pytest.mark.parametrize("forgery", FORGERIES)
async def test_whoever_cannot_prove_who_they_are_gets_401(
    published: Bench, key_pair: KeyPair, method: str, template: str, forgery: str
) -> None:
    token = FORGERIES[forgery](key_pair)
    reply = await published.send(method, _path(template), token=token, json=ROUTES[method, template][1])
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert not published.commands.asked + published.queries.asked + published.previews.asked


@pytest.fixture(scope="module")
def open_to_roles() -> Bench:
    """A gateway that opens no streams: one that is not refused would not end."""
    bench = Bench(sse_viewers=0)
    bench.queries.answer = lambda query: answer(query.ref, items=[])
    return bench


@pytest.mark.parametrize(("method", "template"), ROUTES)
@pytest.mark.parametrize("role", sorted(EVERYONE))
async def test_each_role_may_do_what_the_table_says_and_no_more(
    open_to_roles: Bench, method: str, template: str, role: str
) -> None:
    bench = open_to_roles
    allowed, body = ROUTES[method, template]
    bench.commands.asked.clear()
    reply = await bench.send(method, _path(template), token=signed(role=role), json=body)
    assert (reply.status_code == 403) == (role not in allowed), reply.text
    if role not in allowed:
        assert reply.json()["code"] == "forbidden"
        assert not bench.commands.asked


async def test_a_token_of_the_published_key_is_accepted(published: Bench, key_pair: KeyPair) -> None:
    reply = await published.send("GET", _path(ONE), token=key_pair.signed())
    assert reply.status_code == 200
    published.queries.asked.clear()
