"""What the services still hold: callers that wait, sessions that are to be written, streams that are open (L5)."""

from collections.abc import Iterable, Mapping
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

GAUGES: Final = frozenset(
    {"rf_gateway_courier_waiting", "rf_gateway_sse_viewers", "rf_note_generator_waiting_sessions"}
)


async def waiting(urls: Mapping[str, str]) -> dict[str, float]:
    """Each gauge of each process, by the process's name and the gauge's."""
    found: dict[str, float] = {}
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        for process, url in urls.items():
            answer = await http.get(f"{url}/metrics")
            found |= {f"{process} {gauge}": value for gauge, value in _gauges(answer.text)}
    return found


def _gauges(text: str) -> Iterable[tuple[str, float]]:
    for family in text_string_to_metric_families(text):
        if family.name in GAUGES:
            for sample in family.samples:
                yield " ".join([sample.name, *sample.labels.values()]), sample.value
