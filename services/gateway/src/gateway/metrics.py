"""What this process counts. Labels are route templates and statuses, never ids or anything a client invents."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Histogram,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from shared.courier import Courier

from gateway.cache import NoteCache
from gateway.courier import Couriers
from gateway.updates import Updates

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """The numbers behind `/metrics`."""

    def __init__(self, *, couriers: Couriers, updates: Updates, notes: NoteCache) -> None:
        self.registry = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
            self.registry.register(collector)
        self.registry.register(_Figures(couriers, updates, notes))
        self._requests = Counter(
            "rf_gateway_http_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "rf_gateway_http_request_seconds",
            "Seconds from a request to the beginning of its answer",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        requests, durations = self._series(method if method in _METHODS else "other", route, status)
        requests.inc()
        durations.observe(seconds)

    def _series(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """The series of these labels; looking them up anew each time would cost more than counting."""
        known = self._known.get((method, route, status))
        if known is None:
            known = self._requests.labels(method, route, status), self._seconds.labels(method, route)
            self._known[method, route, status] = known
        return known


class _Figures(Collector):
    """Reads the couriers' and the streams' figures when asked."""

    def __init__(self, couriers: Couriers, updates: Updates, notes: NoteCache) -> None:
        self._updates, self._notes = updates, notes
        self._couriers: dict[str, Courier[Any]] = {
            "commands": couriers.commands,
            "queries": couriers.queries,
            "previews": couriers.previews,
        }

    def collect(self) -> Iterator[Metric]:
        sent = CounterMetricFamily("rf_gateway_courier_requests", "Requests sent", labels=["courier"])
        messages = CounterMetricFamily("rf_gateway_courier_messages", "Messages sent", labels=["courier"])
        resent = CounterMetricFamily("rf_gateway_courier_resent", "Requests sent again", labels=["courier"])
        waiting = GaugeMetricFamily("rf_gateway_courier_waiting", "Callers that wait", labels=["courier"])
        connected = GaugeMetricFamily("rf_gateway_courier_ready", "1 if connected", labels=["courier"])
        for name, courier in self._couriers.items():
            sent.add_metric([name], courier.figures.requests)
            messages.add_metric([name], courier.figures.messages)
            resent.add_metric([name], courier.figures.resent)
            waiting.add_metric([name], courier.unanswered)
            connected.add_metric([name], courier.ready)
        yield from (sent, messages, resent, waiting, connected)
        lookups = CounterMetricFamily(
            "rf_gateway_note_lookups", "Notes looked for in the cache", labels=["result"]
        )
        for result in ("hit", "miss", "away"):
            lookups.add_metric([result], self._notes.lookups[result])
        yield lookups
        yield GaugeMetricFamily("rf_gateway_sse_viewers", "Event streams open", value=self._updates.viewers)
