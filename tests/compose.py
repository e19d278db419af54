"""`make test-compose`: docker-compose.yml, unmodified, on a real engine. Brought up, played on, broken, scaled.

Says "skipped: no engine" where none answers. Words choose parts (kills, absences, scales), and `--no-build` takes the
images that are there. It takes a project, ports and secrets of its own, and leaves nothing.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
from devstack.demo import play
from devstack.tokens import mint

ROOT: Final = Path(__file__).parents[1]
SCALED: Final = ("gateway=2", "fix-outcomes=2", "note-generator=2")
PATIENCE_S: Final = 120.0
PENDING: Final = {"outcome": "applied_pending", "notes": "until the backup has run tonight"}


def say(text: str) -> None:
    print(f"compose: {text}", flush=True)  # noqa: T201


class Project:
    """One run of the compose file."""

    def __init__(self, secrets: Path) -> None:
        self.secrets = secrets
        self._environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": "resolutionflow-test",
            "SECRETS": str(secrets),
            "GATEWAY_PORTS": os.environ.get("GATEWAY_PORTS", "18080-18089"),
        }

    def compose(self, *arguments: str) -> str:
        """Run docker compose; its output. Raises with what it said."""
        command = ["docker", "compose", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(
                f"docker compose {' '.join(arguments)}: {done.returncode}\n{done.stderr[-3000:]}"
            )
        return done.stdout

    def up(self, *arguments: str) -> float:
        """Bring it up and wait; seconds."""
        began = time.monotonic()
        self.compose("up", "--detach", "--wait", "--wait-timeout", "300", *arguments)
        return time.monotonic() - began

    def url(self, number: int = 1) -> str:
        """Where a replica of the gateway listens."""
        return f"http://{self.compose('port', '--index', str(number), 'gateway', '8080').strip()}"

    def python(self, service: str, number: int, program: str) -> str:
        """What a Python program prints inside a container."""
        return self.compose("exec", "-T", "--index", str(number), service, "python", "-c", program)

    def metrics(self, service: str, number: int) -> str:
        """A replica's own numbers."""
        program = (
            "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/metrics').read().decode())"
        )
        return self.python(service, number, program)

    def client(self, account: str, number: int = 1) -> httpx.AsyncClient:
        """An engineer of an account, at a replica of the gateway."""
        token = mint((self.secrets / "gateway_jwt_secret").read_text(), account_id=account, role="engineer")
        return httpx.AsyncClient(
            base_url=f"{self.url(number)}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
            trust_env=False,
        )


@contextmanager
def project() -> Iterator[Project]:
    """A project that is gone afterwards, volumes included."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([ROOT / "deploy" / "secrets", folder], check=True, capture_output=True)
        made = Project(Path(folder))
        try:
            yield made
        except Exception:
            print(made.compose("logs", "--tail", "20"), file=sys.stderr)  # noqa: T201
            raise
        finally:
            made.compose("down", "--volumes", "--timeout", "5")


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
    while True:
        try:
            async with project.client(account, number) as http:
                _, fix = await new_fix(http)
                if (await http.patch(f"{fix}/outcome", json=PENDING)).status_code == httpx.codes.OK:
                    return time.monotonic() - began
        except (httpx.HTTPError, KeyError, RuntimeError):
            pass
        if time.monotonic() - began > PATIENCE_S:
            raise RuntimeError("changes do not succeed again")
        await asyncio.sleep(0.5)


async def survives_a_kill(project: Project, service: str) -> None:
    """Its processes are killed from inside, and the restart policy brings it back."""
    project.compose("exec", "-T", service, "sh", "-c", "kill -9 -1 || true")
    await asyncio.sleep(1)
    project.compose("up", "--detach", "--no-recreate", "--wait", "--wait-timeout", "120", service)
    say(f"{service} was killed; changes succeed again after {await works(project):.1f} s")


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
    async with asyncio.timeout(PATIENCE_S):
        while (await http.get(f"/operations/{operation}")).json().get("status") != "succeeded":  # noqa: ASYNC110
            await asyncio.sleep(0.5)


async def scales(project: Project) -> None:
    """Two of each: events in order through the other gateway, one relay, one generation for each note."""
    project.up("--no-recreate", *(word for each in SCALED for word in ("--scale", each)))
    await asyncio.gather(works(project, number=1), works(project, number=2))
    before = _generated(project)
    account = str(uuid4())
    async with project.client(account, 1) as one, project.client(account, 2) as other:
        sessions = [await new_fix(one) for _ in range(4)]
        watching = [asyncio.create_task(_watch(other, session, until=12)) for session, _ in sessions]
        await asyncio.sleep(1)
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
    await asyncio.sleep(4)
    leading = [_value(project.metrics("fix-outcomes", number), "rf_relay_leading") for number in (1, 2)]
    assert sorted(leading) == [0, 1], leading
    written = _generated(project) - before
    # Both notes of each session once quiet, and at most once more for the first versions, before the messages came.
    assert len(paths) <= written <= 2 * len(paths), (written, len(paths))
    say(f"two of each: {sum(map(len, heard))} events in order, relays {leading}, {written:.0f} generations")


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


async def _watch(http: httpx.AsyncClient, session: str, *, until: int) -> list[int]:
    """The sequences that an event stream brings, up to one."""
    heard: list[int] = []
    async with http.stream("GET", f"/ai-sessions/{session}/events", timeout=None) as stream:
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


PARTS: Final = {"kills": kills, "absences": absences, "scales": scales}


async def run(project: Project, parts: Sequence[str]) -> None:
    """All of it in order, or some parts."""
    for part in parts or tuple(PARTS):
        await PARTS[part](project)


def sizes(project: Project) -> str:
    """How large the images are."""
    images: list[dict[str, Any]] = json.loads(project.compose("images", "--format", "json"))
    return ", ".join(
        sorted(
            {
                f"{each['Repository']} {each['Size'] / 1e6:.0f} MB"
                for each in images
                if "resolution" in each["Repository"]
            }
        )
    )


def main() -> int:
    """Exit code 0 where all of it holds, or where there is no engine."""
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        try:
            answered = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            answered = False
        if not answered:
            say("skipped: no engine")
            return 0
    parts = [word for word in sys.argv[1:] if word in PARTS]
    with project() as made:
        say(f"up in {made.up(*([] if '--no-build' in sys.argv else ['--build'])):.0f} s; {sizes(made)}")
        secret = (made.secrets / "gateway_jwt_secret").read_text()
        if play(made.url(), secret, ROOT / "examples" / "tickets"):
            raise RuntimeError("the demo failed")
        say("the demo plays")
        asyncio.run(run(made, parts))
    say(f"{', '.join(parts) or 'all of it'} holds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
