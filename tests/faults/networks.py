"""Bad networks, on each link between a service and a server."""

from collections.abc import Awaitable, Callable
from typing import Final

from faults.experiment import Experiment, Scene
from faults.proxy import Weather

LINKS: Final = (
    "gateway-rabbitmq",
    "gateway-redis",
    "fix-outcomes-rabbitmq",
    "fix-outcomes-postgres",
    "note-generator-rabbitmq",
    "note-generator-redis",
)
_AWAY_S: Final = 1.5
_SILENT_S: Final = 6.0
"""Longer than any deadline behind the gateway."""
_UNHEARD_S: Final = 45.0
"""Longer than it takes to give up a connection without heartbeats."""

_WEATHERS: Final = {
    "blackhole": (Weather(blackhole=True), _SILENT_S),
    "half-open": (Weather(half_open=True), _SILENT_S),
    "slow": (Weather(delay_s=0.2), _AWAY_S),
    "narrow": (Weather(bytes_per_s=20_000), _AWAY_S),
    "sliced": (Weather(slices=True), _AWAY_S),
}


def _cut(link: str) -> Callable[[Scene], Awaitable[None]]:
    async def harm(scene: Scene) -> None:
        await scene.injector.cut(link, _AWAY_S)

    return harm


def _worsened(link: str, weather: Weather, for_s: float) -> Callable[[Scene], Awaitable[None]]:
    async def harm(scene: Scene) -> None:
        await scene.injector.worsen(link, weather, for_s)

    return harm


async def _reset(scene: Scene) -> None:
    for link in LINKS:
        await scene.injector.reset(link)
        await scene.more(5)


NETWORKS: Final = (
    *(Experiment(f"link-cut-{link}", _cut(link)) for link in LINKS),
    *(
        Experiment(f"link-{name}-{link}", _worsened(link, weather, for_s))
        for name, (weather, for_s) in _WEATHERS.items()
        for link in LINKS
    ),
    *(
        Experiment(f"link-unheard-{link}", _worsened(link, Weather(blackhole=True), _UNHEARD_S))
        for link in LINKS
        if link.endswith("rabbitmq")
    ),
    Experiment("links-reset", _reset),
)
