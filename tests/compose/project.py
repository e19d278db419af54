"""One run of docker-compose.yml: what `docker compose` is told, and what its containers say."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from devstack.tokens import mint
from http_client import http_client

ROOT: Final = Path(__file__).parents[2]
PORTS: Final = {"GATEWAY_PORTS": "18080-18089", "PROMETHEUS_PORT": "19090"}
SIGHTS: Final = ("--profile", "observability")


def say(text: str) -> None:
    print(f"compose: {text}", flush=True)  # noqa: T201


class Project:
    """One run of the compose file."""

    def __init__(self, secrets: Path) -> None:
        self.secrets = secrets
        self._environment = {
            **PORTS,
            **os.environ,
            "COMPOSE_PROJECT_NAME": "resolutionflow-test",
            "SECRETS": str(secrets),
        }

    def compose(self, *arguments: str) -> str:
        """Run docker compose; its output. Raises with what it said."""
        return self._docker("compose", *arguments)

    def _docker(self, *arguments: str) -> str:
        done = subprocess.run(
            ["docker", *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"docker {' '.join(arguments)}: {done.returncode}\n{done.stderr[-3000:]}")
        return done.stdout

    def up(self, *arguments: str) -> float:
        """Bring it up and wait; seconds."""
        began = time.monotonic()
        self.compose("up", "--detach", "--wait", "--wait-timeout", "300", *arguments)
        return time.monotonic() - began

    def url(self, number: int = 1) -> str:
        """Where a replica of the gateway listens."""
        return f"http://{self.compose('port', '--index', str(number), 'gateway', '8080').strip()}"

    def restarts(self, service: str) -> int:
        """How often the restart policy has brought its first container back."""
        container = self.compose("ps", "--all", "--quiet", service).split()[0]
        return int(self._docker("inspect", "--format", "{{.RestartCount}}", container))

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
        return http_client(
            base_url=f"{self.url(number)}/api/v1", headers={"Authorization": f"Bearer {token}"}
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
            made.compose(*SIGHTS, "down", "--volumes", "--timeout", "5")
