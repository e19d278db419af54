"""The servers of one simulation, the clock, and the names under which the product finds them."""

import gc
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from gateway import cache as gateway_cache
from note_generator import cache as note_cache

from faults.simulation.amqp import Broker
from faults.simulation.loop import Process, VirtualLoop, here
from faults.simulation.network import Network
from faults.simulation.postgres import Postgres
from faults.simulation.rabbitmq import RabbitMQ
from faults.simulation.redis import Redis
from shared import broker, ids, publisher

_BEGINNING: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


class World:
    """Everything outside the services."""

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(f"world {seed}")
        self.loop = VirtualLoop()  # type: ignore[abstract]
        self.network = Network(self.rng)
        self.rabbitmq = RabbitMQ(self.network)
        self.broker = Broker(self.rabbitmq)
        self.postgres = Postgres(self.network)
        self.redis = Redis(self.network, self.loop.time)
        self.slowest_note_s = self.rng.choice((0.1, 0.1, 0.3, 2.0))
        self.complaints: list[str] = []

    def now(self) -> datetime:
        """The time of day."""
        return _BEGINNING + timedelta(seconds=self.loop.time())

    def complain(self, what: str) -> None:
        """Something that no service should ever do."""
        self.complaints.append(f"{here()}: {what}")

    def bury(self, process: Process) -> None:
        """A process is dead: the servers see its connections end."""
        self.broker.cut(lambda connection: connection.process is process)
        self.postgres.disconnect(process)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The product connects to these servers; chance and time are the simulation's."""
        state = random.getstate()
        random.seed(self.rng.getrandbits(64))
        marshalled = SimpleNamespace(marshall=lambda _number, frames: frames)
        stand_ins: tuple[tuple[Any, str, object], ...] = (
            (broker, "aio_pika", self.broker),
            (publisher, "ChannelFrame", marshalled),
            (note_cache, "Redis", self.redis),
            (gateway_cache, "Redis", self.redis),
            (ids, "time", SimpleNamespace(time_ns=lambda: int(self.now().timestamp() * 1e9))),
            (os, "urandom", random.Random(self.rng.getrandbits(64)).randbytes),
        )
        real = [getattr(module, name) for module, name, _ in stand_ins]
        collecting = gc.isenabled()
        gc.disable()  # what dies must not do so at a moment that no seed knows
        try:
            for module, name, stand_in in stand_ins:
                setattr(module, name, stand_in)
            yield
        finally:
            for (module, name, _), was in zip(stand_ins, real, strict=True):
                setattr(module, name, was)
            random.setstate(state)
            if collecting:
                gc.enable()
