import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from devstack.ending import end_all
from devstack.jobs import Job
from devstack.processes import Process, Program, StartFailedError
from devstack.procfs import Identity, belongings
from devstack.state import Running, State
from patience import eventually_without_a_loop

FOREVER = (sys.executable, "-c", "import signal; print('here', flush=True); signal.pause()")
DEAF = (
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print('here', flush=True); signal.pause()",
)
BUSY = (
    sys.executable,
    "-c",
    (
        "import threading\n"
        "def spin():\n    while True: pass\n"
        "for _ in range(8): threading.Thread(target=spin).start()\n"
        "print('here', flush=True)"
    ),
)
WITH_CHILD = ("sh", "-c", "setsid sleep 600 & echo here; wait")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State.load(tmp_path)
    yield state
    end_all(state)


def started(state: State, command: tuple[str, ...], **environment: str) -> Process:
    process: Process
    program = Program(
        name="one", command=command, environment=environment, ready=lambda: "here" in process.tail()
    )
    process = Process(program, state)
    process.start()
    process.wait_ready(10)
    return process


def test_a_stopped_process_is_gone_and_forgotten(state: State) -> None:
    process = started(state, FOREVER)
    identity = process.identity
    assert identity is not None

    process.stop()

    assert not identity.alive()
    assert process.pid is None
    assert state.processes == {}


def test_a_process_that_ignores_the_request_to_end_is_killed(state: State) -> None:
    process = started(state, DEAF)

    process.stop(timeout=0.2)

    assert not process.alive()


def test_a_paused_process_does_nothing_any_more(state: State) -> None:
    process = started(state, BUSY)
    assert process.identity is not None

    for _ in range(5):
        process.pause()

        assert process.identity.stopped()
        process.resume()
        eventually_without_a_loop(lambda: process.identity and not process.identity.stopped())


def test_a_paused_process_can_be_stopped(state: State) -> None:
    process = started(state, FOREVER)
    process.pause()

    process.stop(timeout=5)

    assert not process.alive()


def test_killing_takes_along_what_left_the_process_group(state: State) -> None:
    process = started(state, WITH_CHILD)
    family = belongings(process.identity, process.mark)
    assert len(family) == 2

    process.kill()

    assert not any(member.alive() for member in family)


def test_what_outlived_its_leader_is_found_by_its_mark(state: State) -> None:
    process = started(state, WITH_CHILD)
    leader, orphan = belongings(process.identity, process.mark)
    os.kill(leader.pid, 9)
    eventually_without_a_loop(lambda: not process.alive())

    process.kill()

    assert not orphan.alive()


def test_a_later_command_ends_what_an_earlier_one_started(state: State) -> None:
    process = started(state, FOREVER)

    end_all(State.load(state.folder))

    assert not process.alive()
    assert not state.path.exists()


def test_a_process_that_only_has_the_recorded_pid_is_left_alone(state: State) -> None:
    with subprocess.Popen(["sleep", "600"]) as stranger:
        recorded = Identity(stranger.pid, "before the reboot/1")
        state.record("one", Running(recorded, fingerprint="f", stop_signal=15, patience_at_end=1))

        Job("one", state).kill()
        end_all(state)

        assert stranger.poll() is None
        stranger.kill()


def test_starting_what_runs_changes_nothing(state: State) -> None:
    process = started(state, FOREVER)
    pid = process.pid

    Process(process.program, State.load(state.folder)).start()

    assert process.pid == pid


def test_a_process_with_another_environment_is_replaced(state: State) -> None:
    first = started(state, FOREVER, COLOUR="blue").pid

    second = started(state, FOREVER, COLOUR="green").pid

    assert first != second


def test_a_failed_start_names_the_process_and_shows_the_end_of_its_log(state: State) -> None:
    with pytest.raises(StartFailedError) as failure:
        started(state, ("sh", "-c", "seq 100; exit 3"))

    assert "one ended" in str(failure.value)
    assert str(failure.value).splitlines()[1:] == [str(number) for number in range(81, 101)]


def test_a_missing_program_is_a_failed_start(state: State) -> None:
    with pytest.raises(StartFailedError, match="one could not be started"):
        started(state, ("/no/such/program",))


def test_a_child_sees_nothing_of_our_own_settings(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RF_JWT_SECRET", "hidden")

    process = started(state, ("sh", "-c", "env; echo here; sleep 600"), COLOUR="blue")

    assert "COLOUR=blue" in process.tail(100)
    assert "hidden" not in process.tail(100)
