"""Free ports below the ephemeral range, so that no client's outgoing connection ever sits on one of them."""

import random
import socket

LOWEST, HIGHEST = 20_000, 32_767
CHOICES = random.SystemRandom()


def is_free(port: int) -> bool:
    """Whether nobody listens on this loopback port; connections still in TIME_WAIT do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port(*, taken: frozenset[int] = frozenset()) -> int:
    """A random free port that is not among `taken`; random, so that stacks starting together rarely meet."""
    everything = range(LOWEST, HIGHEST + 1)
    for port in CHOICES.sample(everything, k=len(everything)):
        if port not in taken and is_free(port):
            return port
    raise OSError(f"no free port between {LOWEST} and {HIGHEST}")
