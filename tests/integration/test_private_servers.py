"""The launcher's own servers: started, killed, restarted and ended without a trace."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from devstack.binaries import NotInstalledError
from devstack.procfs import marked_by
from devstack.servers import Servers, start_servers
from devstack.services import with_login
from devstack.stack import Stack
from devstack.state import State
from note_generator import users
from patience import eventually_without_a_loop
from pydantic import SecretStr
from redis import Redis
from shared.contracts.vocabulary import Service

NAMES = ("postgres", "rabbitmq", "redis")
SERVICE = """
import http.server, os
port = next(int(value) for name, value in os.environ.items() if name.endswith("_PORT"))
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", port), Ready).serve_forever()
"""
STAND_IN = (sys.executable, "-c", SERVICE)
STAND_INS = {
    **dict.fromkeys(("gateway", "fix-outcomes", "note-generator"), STAND_IN),
    **dict.fromkeys(("database-apply", "topology-apply", "cache-apply"), ("true",)),
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    try:
        servers = start_servers(tmp_path_factory.mktemp("servers"), environment={})
    except NotInstalledError as error:
        pytest.skip(str(error))
    with servers:
        yield servers


def ports(servers: Servers) -> list[int | None]:
    urls = (servers.database_url, servers.amqp_url, servers.rabbitmq_api_url, servers.redis_url)
    return [urlsplit(url).port for url in urls]


def answers(servers: Servers) -> bool:
    return all(server.well() for server in servers.own.values())


def test_all_three_answer_and_none_on_a_standard_port(servers: Servers) -> None:
    assert answers(servers)
    assert not {5432, 5672, 6379, 15672, 4369} & set(ports(servers))


def test_they_listen_on_the_loopback_interface_only(servers: Servers) -> None:
    elsewhere = next(
        (entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)), "127.0.0.1"
    )
    if str(elsewhere).startswith("127."):
        pytest.skip("this machine has no other address")
    for port in ports(servers):
        with pytest.raises(OSError, match=r"refused|timed out"):
            socket.create_connection((str(elsewhere), port), timeout=1)


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_server_comes_back_where_it_was(servers: Servers, name: str) -> None:
    before, pid = ports(servers), servers[name].pid

    servers[name].kill()
    assert servers[name].pid is None
    servers[name].start()
    servers[name].wait_ready()

    assert servers[name].pid != pid
    assert ports(servers) == before
    assert answers(servers)


async def test_what_postgres_committed_survives_a_kill(servers: Servers) -> None:
    connection = await asyncpg.connect(servers.database_url)
    await connection.execute("create table kept as select 1 as number")
    await connection.close()

    servers["postgres"].kill()
    servers["postgres"].start()
    servers["postgres"].wait_ready()

    connection = await asyncpg.connect(servers.database_url)
    assert await connection.fetchval("select number from kept") == 1
    await connection.close()


def test_the_users_that_redis_was_given_survive_a_kill(servers: Servers) -> None:
    passwords = {service: SecretStr("pw") for service in (Service.GATEWAY, Service.NOTE_GENERATOR)}
    assert users.apply(SecretStr(servers.redis_url), passwords)

    servers["redis"].kill()
    servers["redis"].start()
    servers["redis"].wait_ready()

    with Redis.from_url(with_login(servers.redis_url, "gateway", "pw")) as redis:
        assert redis.ping()


async def test_a_paused_server_is_silent_until_it_is_resumed(servers: Servers) -> None:
    servers["redis"].pause()
    address = urlsplit(servers.redis_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"AUTH {address.password}\r\n".encode())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.readline(), 0.3)

    servers["redis"].resume()

    assert await asyncio.wait_for(reader.readline(), 5) == b"+OK\r\n"
    writer.close()
    await writer.wait_closed()


def test_a_server_given_by_url_is_used_and_left_alone(servers: Servers, tmp_path: Path) -> None:
    given = {
        "RF_DATABASE_URL": servers.database_url.replace("/resolutionflow", "/another"),
        "RF_AMQP_URL": servers.amqp_url,
        "RF_RABBITMQ_API_URL": servers.rabbitmq_api_url,
        "RF_REDIS_URL": servers.redis_url,
    }

    with start_servers(tmp_path, environment=given) as borrowed:
        assert borrowed.own == {}
        assert borrowed.database_url == given["RF_DATABASE_URL"]

    assert answers(servers)


def test_a_killed_owner_leaves_no_server_behind(tmp_path: Path) -> None:
    script = f"""
import os
from pathlib import Path
from devstack.servers import start_servers
start_servers(Path({str(tmp_path)!r}), environment={{"RF_AMQP_URL": "amqp://-", "RF_RABBITMQ_API_URL": "http://-"}})
print(flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        mark = f"{State.load(tmp_path).id}/"
        assert marked_by(mark)
        owner.send_signal(signal.SIGKILL)

    eventually_without_a_loop(lambda: marked_by(mark) == ())


def test_a_stack_mends_itself_and_ends_without_a_trace(servers: Servers, tmp_path: Path) -> None:
    with Stack(tmp_path, commands=STAND_INS, replicas={"gateway": 2}, servers=servers) as stack:
        mark = f"{stack.state.id}/"
        pids = stack.pids()
        os.kill(pids["gateway-2"], signal.SIGKILL)
        eventually_without_a_loop(lambda: "gateway-2" not in stack.pids())

        stack.up()
        mended = stack.pids()
        stack.up()

        assert stack.already_up
        assert stack.pids() == mended
        assert {name for name in pids if pids[name] != mended[name]} == {"gateway-2"}

    assert marked_by(mark) == ()
    assert answers(servers)


def test_a_service_is_started_otherwise_once_it_is_configured_so(servers: Servers, tmp_path: Path) -> None:
    with Stack(tmp_path, commands=STAND_INS, servers=servers) as stack:
        before = stack.pids()

        stack.configure("gateway", settings={"GATEWAY_COLOUR": "green"}, command=STAND_IN)
        stack.restart("gateway")

        assert stack.environment("gateway")["GATEWAY_COLOUR"] == "green"
        assert {name for name, pid in stack.pids().items() if pid != before[name]} == {"gateway"}
