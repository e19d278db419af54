"""Every link to a server over TLS, with a certificate that is believed for the sake of the CA's file alone."""

import asyncio
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import httpx
import pytest
from devstack.containers import start_test_servers
from devstack.processes import StartFailedError
from devstack.servers import Addresses, Servers
from devstack.stack import Stack
from proxy import Proxy

pytestmark = pytest.mark.full

Accept = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
INTAKE: Final = {"session_type": "chat", "intake_type": "free_text", "intake_content": {"text": "It is slow"}}
OPENSSL: Final = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt",
    "openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
    "openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -days 2 -out server.crt -extfile names",
)


def certificates(folder: Path) -> Path:
    """A CA of our own, and a certificate of localhost from it."""
    folder.mkdir()
    (folder / "names").write_text("subjectAltName = DNS:localhost\n")
    for command in OPENSSL:
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


class Tls:
    """Listens with TLS, and passes on to a server without."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listening: list[tuple[asyncio.Server, Proxy]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @contextmanager
    def running(self) -> Iterator["Tls"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._wait_for(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def url(self, url: str, scheme: str, query: str = "") -> str:
        """The same URL, through here."""
        parts = urlsplit(url)
        proxy = Proxy(parts.hostname or "", parts.port or 0)
        self._wait_for(self._listen(proxy, asked_for=scheme == "postgresql"))
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit((scheme, f"{login}@localhost:{proxy.port}", parts.path, query, ""))

    def _wait_for(self, doing: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop).result()

    async def _listen(self, proxy: Proxy, *, asked_for: bool) -> None:
        accept, context = (self._asked(proxy.accept), None) if asked_for else (proxy.accept, self._context)
        server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
        proxy.port = server.sockets[0].getsockname()[1]
        self._listening.append((server, proxy))

    async def _close(self) -> None:
        for server, proxy in self._listening:
            server.close()
            await proxy.cut()
            await server.wait_closed()

    def _asked(self, accept: Accept) -> Accept:
        """Postgres speaks TLS once it was asked to."""

        async def upgraded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert await reader.readexactly(8) == bytes.fromhex("00000008 04d2162f")
            writer.write(b"S")
            await writer.start_tls(self._context)
            await accept(reader, writer)

        return upgraded


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with start_test_servers(tmp_path_factory.mktemp("tls") / "servers") as servers:
        yield servers


@contextmanager
def a_stack(folder: Path, servers: Servers, *, ca: Path, believed: Path) -> Iterator[Stack]:
    """All services over TLS, with the settings of docs/deploy.md."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(ca / "server.crt", ca / "server.key")
    file = believed / "ca.crt"
    with Tls(context).running() as tls:
        addresses = Addresses(
            database_url=tls.url(
                servers.database_url, "postgresql", f"sslmode=verify-full&sslrootcert={file}"
            ),
            amqp_url=tls.url(servers.amqp_url, "amqps", f"cafile={file}"),
            rabbitmq_api_url=tls.url(servers.rabbitmq_api_url, "https"),
            redis_url=tls.url(servers.redis_url, "rediss", f"ssl_ca_certs={file}"),
        )
        borrowed = Servers(addresses=addresses, own={}, stop=lambda: None)
        settings = {"topology-apply": {"SSL_CERT_FILE": str(file)}}
        with Stack(folder, settings=settings, servers=borrowed) as stack:
            yield stack


def test_services_reach_their_servers_over_tls(servers: Servers, tmp_path: Path) -> None:
    ca = certificates(tmp_path / "ca")
    with a_stack(tmp_path / "stack", servers, ca=ca, believed=ca) as stack:
        headers = {"Authorization": f"Bearer {stack.token(account_id=uuid4())}"}
        with httpx.Client(
            base_url=f"{stack.url()}/api/v1", headers=headers, trust_env=False, timeout=30
        ) as http:
            session = http.post("/ai-sessions", json=INTAKE).raise_for_status().json()["id"]
            http.post(f"/ai-sessions/{session}/resolution-note/preview").raise_for_status()
        command = [sys.executable, "-m", "fix_outcomes", "topology", "psa", "list"]
        to_it = {"TOPOLOGY_API_URL": stack.servers.rabbitmq_api_url, "SSL_CERT_FILE": str(ca / "ca.crt")}
        subprocess.run(command, env={**os.environ, **to_it}, check=True, capture_output=True)


def test_nobody_believes_a_certificate_of_another_ca(servers: Servers, tmp_path: Path) -> None:
    ca, another = certificates(tmp_path / "ca"), certificates(tmp_path / "another")
    with (
        pytest.raises(StartFailedError, match=r"(?i)certificate"),
        a_stack(tmp_path / "stack", servers, ca=ca, believed=another),
    ):
        pass
