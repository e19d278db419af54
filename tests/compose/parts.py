"""What is done to the stack once it is up, and what must hold then."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import httpx
from metric_names import expressions, metrics_in, without_suffix
from patience import eventually

from compose.project import SIGHTS, Project, say

SCALED: Final = ("gateway=2", "fix-outcomes=2", "note-generator=2")
PATIENCE_S: Final = 120.0
PENDING: Final = {"outcome": "applied_pending", "notes": "until the backup has run tonight"}
JOBS: Final = {"gateway", "fix-outcomes", "note-generator", "rabbitmq", "rabbitmq-queues"}


async def new_fix(http: httpx.AsyncClient) -> tuple[str, str]:
    """A session, and the path of a fix in it."""
    intake = {"session_type": "chat", "intake_type": "free_text", "intake_content": {"text": "It is slow"}}
    session = (await http.post("/ai-sessions", json=intake)).raise_for_status().json()["id"]
    path = f"/ai-sessions/{session}/suggested-fixes"
    suggestion = {"title": "Restart it", "description": "Off and on", "confidence_pct": 60}
    fix = (await http.post(path, json=suggestion)).raise_for_status().json()["id"]
    return session, f"{path}/{fix}"


async def works(project: Project, *, number: int = 1) -> float:
    """Wait until a change succeeds; seconds."""
    began, account = time.monotonic(), str(uuid4())

    async def succeeds() -> bool:
        try:
            async with project.client(account, number) as http:
                _, fix = await new_fix(http)
                return (await http.patch(f"{fix}/outcome", json=PENDING)).status_code == httpx.codes.OK
        except (httpx.HTTPError, KeyError, RuntimeError):
            return False

    await eventually(succeeds, within_s=PATIENCE_S)
    return time.monotonic() - began


async def survives_a_kill(project: Project, service: str) -> None:
    """Its processes are killed from inside, and nothing but the restart policy brings it back."""
    before = project.restarts(service)
    project.compose("exec", "-T", service, "sh", "-c", "kill -9 -1 || true")
    await eventually(lambda: project.restarts(service) != before, within_s=PATIENCE_S)
    say(f"{service} was killed and came back; changes succeed {await works(project):.1f} s after that")


async def survives_an_absence(project: Project, server: str, allowed: set[int]) -> None:
    """A server is stopped, and changes are refused, queued or accepted, never lost; then it returns."""
    account = str(uuid4())
    async with project.client(account) as http:
        session, fix = await new_fix(http)
        project.compose("stop", server)
        during = await http.patch(f"{fix}/outcome", json=PENDING)
        assert during.status_code in allowed, (server, during.status_code)
        project.compose("start", server)
        seconds = await works(project)
        if during.status_code == httpx.codes.ACCEPTED:
            await _decided(http, during.json()["operation_id"])
        history = (await http.get(f"/ai-sessions/{session}/history")).raise_for_status().json()["items"]
        sequences = [entry["sequence"] for entry in history]
        assert sequences == list(range(1, len(sequences) + 1))
        recorded = sum(entry["kind"] == "fix.outcome_recorded" for entry in history)
        assert recorded == 1 or during.status_code == httpx.codes.SERVICE_UNAVAILABLE
    say(
        f"{server} was away: a change was {during.status_code}; changes succeed {seconds:.1f} s after its return"
    )


async def _decided(http: httpx.AsyncClient, operation: str) -> None:
    async def has_succeeded() -> bool:
        return bool((await http.get(f"/operations/{operation}")).json().get("status") == "succeeded")

    await eventually(has_succeeded, within_s=PATIENCE_S)


async def scales(project: Project) -> None:
    """Two of each: events in order through the other gateway, one relay, one generation for each note."""
    project.up("--no-recreate", *(word for each in SCALED for word in ("--scale", each)))
    await asyncio.gather(works(project, number=1), works(project, number=2))
    before = _generated(project)
    account = str(uuid4())
    async with project.client(account, 1) as one, project.client(account, 2) as other:
        sessions = [await new_fix(one) for _ in range(4)]
        attached = asyncio.Barrier(1 + len(sessions))
        watching = [
            asyncio.create_task(_watch(other, session, attached, until=12)) for session, _ in sessions
        ]
        async with asyncio.timeout(PATIENCE_S):
            await attached.wait()
        for number in range(10):
            await asyncio.gather(
                *(
                    _say(http, session, number)
                    for (session, _), http in zip(sessions, (one, other) * 2, strict=True)
                )
            )
        async with asyncio.timeout(PATIENCE_S):
            heard = await asyncio.gather(*watching)
        assert all(events == list(range(events[0], 13)) for events in heard), heard
        kinds = ("resolution-note", "escalation-package")
        paths = [f"/ai-sessions/{session}/{kind}/preview" for session, _ in sessions for kind in kinds]
        asked = [(http, path) for path in paths for http in (one, other) * 3]
        previews = await asyncio.gather(*(_preview(http, path) for http, path in asked))
        # Six ask for each document through two gateways, and all of them see the same writing of it.
        versions = {
            (path, body["state_version"], body["generated_at"])
            for (_, path), body in zip(asked, previews, strict=True)
        }
        assert len(versions) == len(paths)

    def leading() -> list[float]:
        return [_value(project.metrics("fix-outcomes", number), "rf_relay_leading") for number in (1, 2)]

    def all_written() -> bool:
        waiting = "rf_note_generator_waiting_sessions"
        return not any(_value(project.metrics("note-generator", number), waiting) for number in (1, 2))

    await eventually(lambda: sorted(leading()) == [0, 1] and all_written(), within_s=PATIENCE_S)
    written = _generated(project) - before
    # Both notes of each session once quiet, and at most once more for the first versions, before the messages came.
    assert len(paths) <= written <= 2 * len(paths), (written, len(paths))
    say(f"two of each: {sum(map(len, heard))} events in order, relays {leading()}, {written:.0f} generations")


async def _preview(http: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """A preview; a machine that is too busy says 503 and when to ask again."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await http.post(path, timeout=90)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                body: dict[str, Any] = answer.raise_for_status().json()
                return body
            await asyncio.sleep(float(answer.headers["Retry-After"]))


async def _say(http: httpx.AsyncClient, session: str, number: int) -> None:
    message = {"role": "engineer", "content": f"Step {number}"}
    (await http.post(f"/ai-sessions/{session}/messages", json=message)).raise_for_status()


async def _watch(
    http: httpx.AsyncClient, session: str, attached: asyncio.Barrier, *, until: int
) -> list[int]:
    """The sequences that an event stream brings, up to one."""
    heard: list[int] = []
    async with http.stream("GET", f"/ai-sessions/{session}/events", timeout=None) as stream:
        await attached.wait()
        async for line in stream.aiter_lines():
            if line.startswith("id:"):
                heard.append(int(line.removeprefix("id:")))
                if heard[-1] >= until:
                    return heard
    return heard


def _value(metrics: str, name: str) -> float:
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", metrics, re.MULTILINE))


def _generated(project: Project) -> float:
    return sum(
        _value(project.metrics("note-generator", number), "rf_note_generator_generations_total")
        for number in (1, 2)
    )


async def kills(project: Project) -> None:
    """Each service."""
    for service in ("gateway", "fix-outcomes", "note-generator"):
        await survives_a_kill(project, service)


async def absences(project: Project) -> None:
    """Each server."""
    await survives_an_absence(project, "redis", {200})
    await survives_an_absence(project, "postgres", {202})
    await survives_an_absence(project, "rabbitmq", {503})


async def sights(project: Project) -> None:
    """The profile's Prometheus reaches all there is, believes the rules, and has every metric that they name."""
    try:
        project.compose(*SIGHTS, "pull", "--quiet", "--policy", "missing", "prometheus")
    except RuntimeError:
        say("sights: skipped: the image of prometheus cannot be had")
        return
    project.compose(*SIGHTS, "up", "--detach", "--no-recreate", "prometheus")
    address = project.compose(*SIGHTS, "port", "prometheus", "9090").strip()
    async with httpx.AsyncClient(base_url=f"http://{address}/api/v1", trust_env=False, timeout=30) as http:
        targets = await _eventually(http, "/targets", _all_up)
        groups = (await _eventually(http, "/rules", _all_evaluated))["groups"]
        there = {without_suffix(name) for name in await _asked(http, "/metadata")}
    named = {name for expression in expressions() for name in metrics_in(expression)} - {"up"}
    assert named <= there, named - there
    rules = sum(len(group["rules"]) for group in groups)
    say(f"Prometheus: {len(targets['activeTargets'])} targets up, {rules} rules, all {len(named)} metrics")


def _all_up(answer: dict[str, Any]) -> bool:
    up = {each["labels"]["job"] for each in answer["activeTargets"] if each["health"] == "up"}
    return up == JOBS and all(each["health"] == "up" for each in answer["activeTargets"])


def _all_evaluated(answer: dict[str, Any]) -> bool:
    return all(rule["health"] == "ok" for group in answer["groups"] for rule in group["rules"])


async def _eventually(http: httpx.AsyncClient, path: str, holds: Callable[[dict[str, Any]], bool]) -> Any:
    async def answered() -> Any:
        try:
            answer = await _asked(http, path)
        except httpx.TransportError:
            return None  # it is starting
        return answer if holds(answer) else None

    return await eventually(answered, within_s=PATIENCE_S)


async def _asked(http: httpx.AsyncClient, path: str) -> Any:
    return (await http.get(path)).raise_for_status().json()["data"]


async def tools(project: Project) -> None:
    """An administrator makes a PSA tool's user, and its connection string is shown once."""
    account = str(uuid4())
    psa = ("run", "--rm", "--no-deps", "topology", "topology", "psa")
    url = project.compose(*psa, "add", account).split()[0]
    assert url.startswith(f"amqp://psa-{account}:"), url
    listed = project.compose(*psa, "list")
    assert account in listed
    assert url.split(":")[2].partition("@")[0] not in listed
    project.compose(*psa, "remove", account)
    assert account not in project.compose(*psa, "list")
    say("a PSA tool's user was made, listed and removed")


PARTS: Final = {"kills": kills, "absences": absences, "tools": tools, "scales": scales, "sights": sights}
