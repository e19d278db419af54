"""A private RabbitMQ from the installed binaries: loopback only, own epmd, one administrator, no guest."""

import os
import shlex
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from devstack.binaries import epmd, rabbitmq_folder
from devstack.processes import Program
from devstack.state import State, write_private

ADMINISTRATOR = "admin"
CONSUMER_TIMEOUT_MS = 4 * 60 * 60 * 1_000
CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
management.tcp.ip = 127.0.0.1
management.tcp.port = {api_port}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {metrics_port}
default_user = {user}
default_pass = {password}
default_user_tags.administrator = true
log.file.level = warning
disk_free_limit.absolute = 64MB
consumer_timeout = {consumer_timeout}
"""


def url(state: State) -> str:
    """The administrator's AMQP URL."""
    return f"amqp://{_login(state)}@127.0.0.1:{state.port('rabbitmq')}/"


def api_url(state: State) -> str:
    """The administrator's URL of the management HTTP API."""
    return f"http://{_login(state)}@127.0.0.1:{state.port('rabbitmq:api')}"


def program(state: State) -> Program:
    """The broker and its epmd as one process group, which the broker's own process leads."""
    folder = state.folder / "rabbitmq"
    environment = _environment(state, folder)
    mapper = shlex.join([str(epmd()), "-port", environment["ERL_EPMD_PORT"], "-address", "127.0.0.1"])
    server = shlex.quote(str(rabbitmq_folder() / "rabbitmq-server"))
    address, api = url(state), api_url(state)
    return Program(
        name="rabbitmq",
        command=("sh", "-c", f"{mapper} & exec {server}"),
        environment=environment,
        ready=lambda: answers(address, api),
        prepare=lambda: _prepare(state, folder),
        patience_at_end=0,  # an orderly stop takes six seconds
    )


def answers(address: str, api: str) -> bool:
    """Whether the broker listens and its management API accepts our login."""
    parts = urlsplit(address)
    try:
        # The listener comes last at boot, and asking it costs a booting broker nothing.
        socket.create_connection((parts.hostname, parts.port or 5672), timeout=1).close()
        with httpx.Client(trust_env=False, timeout=5) as client:
            return client.get(f"{api}/api/overview").status_code == httpx.codes.OK
    except (OSError, httpx.HTTPError):
        return False


def _login(state: State) -> str:
    return f"{ADMINISTRATOR}:{state.secret('rabbitmq')}"


def _prepare(state: State, folder: Path) -> None:
    home = folder / "home"
    for private in (folder, home):
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
    cookie = home / ".erlang.cookie"
    if not cookie.exists():
        write_private(cookie, state.secret("erlang-cookie"))
        cookie.chmod(0o400)
    configuration = CONFIGURATION.format(
        port=state.port("rabbitmq"),
        api_port=state.port("rabbitmq:api"),
        metrics_port=state.port("rabbitmq:metrics"),
        user=ADMINISTRATOR,
        password=state.secret("rabbitmq"),
        consumer_timeout=CONSUMER_TIMEOUT_MS,
    )
    write_private(folder / "rabbitmq.conf", configuration)
    (folder / "enabled_plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n")


def _environment(state: State, folder: Path) -> dict[str, str]:
    schedulers = min(os.cpu_count() or 2, 8)
    return {
        "HOME": str(folder / "home"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_NODENAME": f"devstack{state.port('rabbitmq')}@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": str(state.log("rabbitmq")),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_DIST_PORT": str(state.port("rabbitmq:dist")),
        "ERL_EPMD_PORT": str(state.port("rabbitmq:epmd")),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        # With input allowed the script becomes the Erlang VM, so that the pid we know is the one to signal.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            f"-noinput -kernel inet_dist_use_interface {{127,0,0,1}} +S {schedulers}:{schedulers}"
            # A boot looks into some 15,000 files that are not there, each by another thread; waking it costs most.
            " +sbwtdio short"
        ),
    }
