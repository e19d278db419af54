"""Gateways are replaced one after the other under load, as Kubernetes does it, and no request is lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

import httpx
import pytest
from devstack.containers import start_test_servers
from devstack.stack import Stack
from http_client import http_client
from patience import eventually

PATIENCE_S: Final = 30.0
GATEWAYS: Final = ("gateway", "gateway-2")
INTAKE: Final = {"session_type": "chat", "intake_type": "free_text", "intake_content": {"text": "It is slow"}}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("rolling")
    settings = {"gateway": {"GATEWAY_DRAIN_S": "1.5", "GATEWAY_SHUTDOWN_S": "8"}}
    with (
        start_test_servers(folder / "servers") as servers,
        Stack(folder / "stack", replicas={"gateway": 2}, settings=settings, servers=servers) as stack,
    ):
        yield stack


@dataclass
class Balancer:
    """What a Service of Kubernetes is: it sends nothing to those that did not say that they are ready."""

    http: httpx.AsyncClient
    stack: Stack
    ready: set[str] = field(default_factory=set)

    async def probe(self) -> None:
        while True:
            for name in GATEWAYS:
                (self.ready.add if await self.says_ready(name) else self.ready.discard)(name)
            await asyncio.sleep(0.1)

    async def says_ready(self, name: str) -> bool:
        try:
            return (await self.http.get(f"{self.stack.url(name)}/readyz")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    async def until(self, ready: set[str]) -> None:
        await eventually(lambda: self.ready == ready, within_s=PATIENCE_S)

    def choose(self, number: int) -> str:
        among = sorted(self.ready)
        return self.stack.url(among[number % len(among)])


@pytest.fixture
async def balancer(stack: Stack) -> AsyncIterator[Balancer]:
    async with http_client() as http:
        balancer = Balancer(http, stack)
        probing = asyncio.create_task(balancer.probe())
        await balancer.until(set(GATEWAYS))
        yield balancer
        probing.cancel()


@asynccontextmanager
async def load(balancer: Balancer, path: str, headers: dict[str, str]) -> AsyncIterator[list[int]]:
    """Four engineers who write one message after the other, and never twice; the statuses that they get."""
    statuses: list[int] = []
    ending = asyncio.Event()

    async def write(number: int) -> None:
        while not ending.is_set():
            url = f"{balancer.choose(len(statuses) + number)}{path}"
            message = {"role": "engineer", "content": f"Step {len(statuses)}"}
            statuses.append((await balancer.http.post(url, json=message, headers=headers)).status_code)

    async with asyncio.TaskGroup() as writers:
        for number in range(4):
            writers.create_task(write(number))
        yield statuses
        ending.set()


async def ended(stack: Stack, name: str) -> None:
    await eventually(lambda: not stack[name].alive(), within_s=PATIENCE_S)


@pytest.mark.full
async def test_who_replaces_gateways_one_by_one_loses_no_request(stack: Stack, balancer: Balancer) -> None:
    headers = {"Authorization": f"Bearer {stack.token(account_id=uuid4())}"}
    opened = await balancer.http.post(f"{stack.url()}/api/v1/ai-sessions", json=INTAKE, headers=headers)
    path = f"/api/v1/ai-sessions/{opened.raise_for_status().json()['id']}"
    async with load(balancer, f"{path}/messages", headers) as statuses:
        for name in GATEWAYS:
            before = len(statuses)
            os.kill(stack.pids()[name], signal.SIGTERM)
            await balancer.until(set(GATEWAYS) - {name})
            # Not ready, and whoever has not heard of it yet is served all the same.
            late = await balancer.http.get(f"{stack.url(name)}{path}", headers=headers)
            assert late.status_code == httpx.codes.OK
            await ended(stack, name)
            stack.start(name)
            await balancer.until(set(GATEWAYS))
            assert len(statuses) > before + 20
    assert set(statuses) == {httpx.codes.CREATED}
    written = (await balancer.http.get(f"{stack.url()}{path}", headers=headers)).raise_for_status().json()
    assert written["sequence"] == 1 + len(statuses)
