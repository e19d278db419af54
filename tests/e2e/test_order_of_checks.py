"""Which refusal a request gets that deserves two: 401, 413, 422, 403, 429, 400, 404, 422, replay, 412, 409."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from devstack.stack import Stack
from e2e.client import SESSIONS, Person, fix_path

TOO_LARGE = {"outcome": "applied_success", "notes": "x" * 300_000}
BAD_SHAPE = {"outcome": "no such outcome"}


@pytest.fixture
def slow(stack: Stack) -> tuple[str]:
    """The gateway where an account may ask three times."""
    return (stack.gateway_urls[2],)


async def _exhausted(person: Person) -> Person:
    while (await person.get(SESSIONS)).status != 429:
        pass
    return person


async def test_401_comes_before_413(engineer: Person) -> None:
    path = f"{fix_path(await engineer.suggested_fix())}/outcome"
    refused = await engineer.ask("PATCH", path, TOO_LARGE, headers={"Authorization": "Bearer no"})
    assert refused.status == 401


async def test_413_comes_before_422(engineer: Person) -> None:
    path = f"{fix_path(await engineer.suggested_fix())}/outcome"
    assert (await engineer.ask("PATCH", path, {**TOO_LARGE, **BAD_SHAPE})).status == 413


async def test_422_for_shape_comes_before_403(engineer: Person, viewer: Person) -> None:
    path = f"{fix_path(await engineer.suggested_fix())}/outcome"
    assert (await viewer.ask("PATCH", path, BAD_SHAPE)).status == 422


async def test_403_comes_before_429(new_person: Callable[..., Person], slow: tuple[str]) -> None:
    viewer = await _exhausted(new_person(role="viewer", gateways=slow))
    path = f"{SESSIONS}/{uuid4()}/suggested-fixes/{uuid4()}/outcome"
    assert (await viewer.ask("PATCH", path, {"outcome": "applied_success"})).status == 403


async def test_429_comes_before_400(new_person: Callable[..., Person], slow: tuple[str]) -> None:
    engineer = await _exhausted(new_person(gateways=slow))
    path = f"{SESSIONS}/{uuid4()}/suggested-fixes/{uuid4()}/outcome"
    assert (await engineer.ask("PATCH", path, {"outcome": "applied_pending"})).status == 429


async def test_403_comes_before_400(engineer: Person, viewer: Person) -> None:
    assert (await viewer.record(await engineer.suggested_fix(), "applied_pending")).status == 403


async def test_400_comes_before_404(engineer: Person) -> None:
    path = f"{SESSIONS}/{uuid4()}/suggested-fixes/{uuid4()}/outcome"
    assert (await engineer.ask("PATCH", path, {"outcome": "applied_pending"})).status == 400


async def test_404_comes_before_422_for_a_reused_key(engineer: Person) -> None:
    fix, key = await engineer.suggested_fix(), str(uuid4())
    (await engineer.apply(fix, key=key)).good()
    assert (await engineer.post(f"{SESSIONS}/{fix.session_id}/facts", {"text": "x"}, key=key)).status == 422
    assert (await engineer.post(f"{SESSIONS}/{uuid4()}/facts", {"text": "x"}, key=key)).status == 404
    unknown_fix = f"{SESSIONS}/{fix.session_id}/suggested-fixes/{uuid4()}/apply"
    assert (await engineer.post(unknown_fix, key=key)).status == 404


async def test_422_for_a_reused_key_comes_before_412(engineer: Person) -> None:
    fix, key = await engineer.suggested_fix(), str(uuid4())
    (await engineer.apply(fix, key=key)).good()
    stale = await engineer.record(fix, "applied_success", key=key, if_match=fix.state_version)
    assert (stale.status, stale.code) == (422, "idempotency_key_reused")


async def test_the_replay_comes_before_412_and_409(engineer: Person) -> None:
    fix, key = await engineer.suggested_fix(), str(uuid4())
    for replayed in (False, True):
        recorded = await engineer.record(fix, "applied_success", key=key, if_match=fix.state_version)
        assert (recorded.status, recorded.replayed) == (200, replayed)


async def test_412_comes_before_409(engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    (await engineer.record(fix, "applied_success")).good()
    assert (await engineer.record(fix, "dismissed", if_match=fix.state_version)).status == 412
    assert (await engineer.record(fix, "dismissed", if_match=fix.state_version + 1)).status == 409
