"""Two replicas of each service do the work of one, and both do some of it."""

import asyncio
import re

import httpx
from devstack.stack import Stack
from e2e.client import Person


async def test_every_replica_is_ready_and_alive(stack: Stack, http: httpx.AsyncClient) -> None:
    replicas = [name for name in stack.names() if name not in stack.servers.own]
    assert len(replicas) == 7
    for name in replicas:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await http.get(f"{stack.url(name)}{path}")).status_code == 200, (name, path)


async def test_a_gateway_reads_what_another_has_written(stack: Stack, engineer: Person) -> None:
    fix = await engineer.suggested_fix()
    for number in range(6):
        recorded = (await engineer.record(fix, "applied_partial", f"step {number}")).fix
        for gateway in stack.gateway_urls[:2]:
            headers = {"Authorization": f"Bearer {engineer.token}"}
            shown = await engineer.http.get(f"{gateway}/api/v1/ai-sessions/{fix.session_id}", headers=headers)
            assert shown.json()["fixes"] == [recorded.model_dump(mode="json")]


async def test_an_operation_is_known_at_every_gateway(stack: Stack, engineer: Person) -> None:
    queued = await engineer.apply(await engineer.suggested_fix(), prefer="respond-async")
    for gateway in stack.gateway_urls[:2]:
        headers = {"Authorization": f"Bearer {engineer.token}"}
        shown = await engineer.http.get(f"{gateway}{queued.headers['Location']}", headers=headers)
        assert (shown.status_code, shown.json()["operation_id"]) == (200, queued.operation.operation_id)


async def test_both_replicas_of_fix_outcomes_decide(stack: Stack, engineer: Person) -> None:
    before = await _figures(stack, engineer.http, "rf_commands_decided_total")
    fixes = [await engineer.suggested_fix() for _ in range(10)]
    await asyncio.gather(
        *(engineer.record(fix, "applied_partial", f"{number}") for number in range(5) for fix in fixes)
    )
    after = await _figures(stack, engineer.http, "rf_commands_decided_total")
    assert sum(after.values()) - sum(before.values()) >= 70
    assert all(after[replica] > before[replica] for replica in before), (before, after)


async def test_exactly_one_replica_relays(stack: Stack, engineer: Person) -> None:
    assert sorted((await _figures(stack, engineer.http, "rf_relay_leading")).values()) == [0, 1]


async def _figures(stack: Stack, http: httpx.AsyncClient, name: str) -> dict[str, float]:
    """The sum of a metric in every replica of fix-outcomes."""
    found = {}
    for replica in ("fix-outcomes", "fix-outcomes-2"):
        metrics = (await http.get(f"{stack.url(replica)}/metrics")).text
        counted = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", metrics, re.MULTILINE)
        found[replica] = sum(float(count) for count in counted)
    return found
