"""How long everything takes, and which of it goes wrong: all chance of the simulation comes from here, by its seed."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Final

_QUICK_S: Final = 0.002
_SLOW_S: Final = 0.15


@dataclass(slots=True)
class Weather:
    """What goes wrong right now: shares of what is sent."""

    instant: float = 0.75
    slow: float = 0.02
    repeated: float = 0.0
    dropped: float = 0.0


class Network:
    """The wires between all processes and servers."""

    def __init__(self, rng: Random, weather: Weather | None = None) -> None:
        self.rng = rng
        self.weather = weather or Weather()

    def delay_s(self) -> float:
        """How long something is on its way."""
        longest = _SLOW_S if self.rng.random() < self.weather.slow else _QUICK_S
        return self.rng.random() * longest

    async def hop(self) -> None:
        """Something is on its way; often it is there at once."""
        if self.rng.random() >= self.weather.instant:
            loop = asyncio.get_running_loop()
            arrived = loop.create_future()
            loop.call_later(self.delay_s(), _arrive, arrived)
            await arrived

    def is_repeated(self) -> bool:
        """Whether this message comes twice."""
        return self.rng.random() < self.weather.repeated

    def is_dropped(self) -> bool:
        """Whether this message, which nobody promised to deliver, is lost."""
        return self.rng.random() < self.weather.dropped


def _arrive(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)
