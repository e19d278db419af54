import os
import socket
from pathlib import Path

import pytest
from devstack.procfs import Identity
from devstack.state import Running, State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.load(tmp_path)


def running(pid: int, born: str) -> Running:
    return Running(Identity(pid, born), fingerprint="f", stop_signal=15, patience_at_end=1)


def test_secrets_and_ports_are_found_again_by_the_next_command(state: State) -> None:
    secret, port = state.secret("jwt"), state.port("gateway")

    later = State.load(state.folder)

    assert (later.secret("jwt"), later.port("gateway"), later.id) == (secret, port, state.id)


def test_each_secret_and_each_port_is_its_own(state: State) -> None:
    names = ["gateway", "gateway-2", "redis", "rabbitmq", "rabbitmq:api"]

    assert len({state.secret(name) for name in names}) == len(names)
    assert len({state.port(name) for name in names}) == len(names)


def test_two_stacks_share_no_secret(tmp_path: Path) -> None:
    assert State.load(tmp_path / "a").secret("jwt") != State.load(tmp_path / "b").secret("jwt")


def test_only_its_owner_may_read_the_file(state: State) -> None:
    state.secret("jwt")

    assert state.path.stat().st_mode & 0o777 == 0o600


def test_processes_are_found_again(state: State) -> None:
    here = Identity.of(os.getpid())
    assert here is not None
    state.record("gateway", Running(here, "f", 15, 1.5))

    later = State.load(state.folder)

    assert later.processes == state.processes
    assert later.alive("gateway")


def test_a_pid_that_another_process_has_now_is_not_alive(state: State) -> None:
    state.record("gateway", running(os.getpid(), "another boot/1"))

    assert not state.alive("gateway")


def test_a_port_that_somebody_took_meanwhile_is_chosen_anew(state: State) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        state.ports = {"redis": stranger.getsockname()[1], "gateway": 20_001}

        state.release_lost_ports()

    assert "redis" not in state.ports
    assert state.ports["gateway"] == 20_001


def test_a_port_is_kept_while_its_own_process_listens_on_it(state: State) -> None:
    here = Identity.of(os.getpid())
    assert here is not None
    state.record("rabbitmq", Running(here, "f", 15, 1))
    with socket.create_server(("127.0.0.1", 0)) as ours:
        state.ports = {"rabbitmq:api": ours.getsockname()[1]}

        state.release_lost_ports()

    assert "rabbitmq:api" in state.ports
