"""Asks nothing for a while of a model that failed several times in a row."""

from collections.abc import Callable


class Breaker:
    """Closed: go on. Open: ask nothing until the pause is over; then one call may find out."""

    def __init__(self, *, failures: int, pause_s: float, now: Callable[[], float]) -> None:
        self._limit, self._pause_s, self._now = failures, pause_s, now
        self._failed, self._until = 0, 0.0

    @property
    def is_open(self) -> bool:
        """Whether nothing is to be asked now. Whoever is told False once the pause is over is the one that tries."""
        if self._failed < self._limit:
            return False
        if self._now() < self._until:
            return True
        self._until = self._now() + self._pause_s
        return False

    def succeeded(self) -> None:
        """It answered."""
        self._failed = 0

    def failed(self) -> None:
        """It did not, by no fault of the request."""
        self._failed += 1
        if self._failed >= self._limit:
            self._until = self._now() + self._pause_s
