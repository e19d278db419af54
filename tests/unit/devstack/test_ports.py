import socket

from devstack.ports import HIGHEST, LOWEST, free_port, is_free


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_a_chosen_port_lies_below_the_ephemeral_range() -> None:
    assert LOWEST <= free_port() <= HIGHEST < 32_768


def test_a_chosen_port_is_none_of_those_already_promised() -> None:
    promised = frozenset(range(LOWEST, HIGHEST + 1)) - {LOWEST + 7, LOWEST + 8}

    assert free_port(taken=promised) in {LOWEST + 7, LOWEST + 8}
