"""A running stack is seen: the trace of a change is whole, and dashboards and alerts name metrics that it has."""

import asyncio
import gzip
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from devstack.containers import start_test_servers
from devstack.servers import Servers
from devstack.stack import Stack
from devstack.state import State
from e2e.model import Model, serving
from http_client import http_client
from metric_names import expressions, metrics_in
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from patience import eventually

PATIENCE_S: Final = 30.0
SERVICES: Final = ("gateway", "fix-outcomes", "note-generator")


@dataclass(frozen=True)
class Seen:
    """A span as the receiver got it."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[tuple[str, str], ...]
    attributes: dict[str, Any]


@dataclass
class Receiver:
    """An OTLP receiver that keeps all spans in memory."""

    spans: list[Seen] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for each in request.resource_spans:
            [service] = [a.value.string_value for a in each.resource.attributes if a.key == "service.name"]
            self.spans += [_seen(service, span) for scope in each.scope_spans for span in scope.spans]

    def trace(self, trace: str) -> list[Seen]:
        return [span for span in self.spans if span.trace == trace]


def _seen(service: str, span: Any) -> Seen:
    return Seen(
        service=service,
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        attributes={
            each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes
        },
    )


@pytest.fixture(scope="module")
def receiver() -> Iterator[tuple[Receiver, str]]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield receiver, f"http://127.0.0.1:{server.server_port}/v1/traces"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
async def model() -> AsyncIterator[Model]:
    async with serving() as model:
        yield model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sight")


@pytest.fixture(scope="module")
def stack(receiver: tuple[Receiver, str], model: Model, folder: Path) -> Iterator[Stack]:
    url = receiver[1]
    settings = {
        "gateway": {"GATEWAY_TRACES_URL": url},
        "fix-outcomes": {"FIX_OUTCOMES_TRACES_URL": url},
        "note-generator": {
            "NOTE_GENERATOR_TRACES_URL": url,
            # Longer than an event takes: else a fix's notes are written in the trace of the suggestion before it.
            "NOTE_GENERATOR_QUIET_S": "1",
            "NOTE_GENERATOR_ANTHROPIC_API_KEY": "none",
            "NOTE_GENERATOR_ANTHROPIC_BASE_URL": model.url,
        },
    }
    with (
        start_test_servers(folder / "servers") as servers,
        Stack(folder / "stack", settings=settings, servers=servers) as stack,
    ):
        yield stack


@pytest.fixture
async def engineer(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {stack.token(account_id=uuid4())}"}
    async with http_client(base_url=f"{stack.url()}/api/v1", headers=headers) as http:
        yield http


async def a_fix(http: httpx.AsyncClient) -> str:
    """The path of a new fix in a new session."""
    intake = {"session_type": "chat", "intake_type": "free_text", "intake_content": {"text": "Secret words"}}
    session = (await http.post("/ai-sessions", json=intake)).raise_for_status().json()["id"]
    suggestion = {"title": "Power-cycle", "description": "Off and on", "confidence_pct": 50}
    path = f"/ai-sessions/{session}/suggested-fixes"
    fix = (await http.post(path, json=suggestion)).raise_for_status().json()["id"]
    return f"{path}/{fix}"


async def record(http: httpx.AsyncClient, fix: str, trace: str) -> None:
    answer = await http.patch(
        f"{fix}/outcome",
        json={"outcome": "applied_pending", "notes": "Secret words again"},
        headers={"traceparent": f"00-{trace}-{'b7ad6b7169203331'}-01"},
    )
    answer.raise_for_status()


def one(spans: list[Seen], service: str, name: str) -> Seen:
    found = [span for span in spans if (span.service, span.name) == (service, name)]
    assert found, f"no {name} of {service} among {[(span.service, span.name) for span in spans]}"
    return found[0]


PATCH: Final = "PATCH /api/v1/ai-sessions/{session_id}/suggested-fixes/{fix_id}/outcome"


def chain(receiver: Receiver, trace: str) -> tuple[Seen, Seen, Seen]:
    """Holds the whole chain of a PATCH together; its request, and the batch's span in each of two services."""
    spans = receiver.trace(trace)
    request = one(spans, "gateway", PATCH)
    decided = one(spans, "fix-outcomes", "decided")
    event = one(spans, "fix-outcomes", "publish fix.outcome_recorded")
    notes = one(spans, "note-generator", "write notes")
    assert request.parent == "b7ad6b7169203331"
    assert decided.parent == event.parent == notes.parent == request.id
    assert decided.attributes["rf.kind"] == "record_outcome"
    assert request.attributes["rf.command_id"] == decided.attributes["rf.command_id"]

    [(batch_trace, batch_id)] = decided.links
    [deciding] = [span for span in receiver.spans if (span.trace, span.id) == (batch_trace, batch_id)]
    assert deciding.name == "decide commands"
    assert (trace, request.id) in deciding.links
    assert any(span.name == "transaction" and span.parent == deciding.id for span in receiver.spans)
    [sending] = [span for span in receiver.spans if span.id == deciding.parent]
    assert (sending.service, sending.name) == ("gateway", "fix-outcomes.commands publish")
    assert (trace, request.id) in sending.links

    waits = {span.id for span in spans if span.name == "write notes"}  # the first found it not quiet yet
    writing = [span for span in spans if span.parent in waits and span.name.startswith("write ")]
    assert {span.name for span in writing} == {"write resolution_note", "write escalation_package"}
    asking = [span for span in spans if span.name == "ask the model"]
    assert {span.parent for span in asking} == {span.id for span in writing}
    assert {span.name for span in spans if span.name == "publish note.regenerated"}
    return request, sending, deciding


def is_whole(receiver: Receiver, trace: str) -> bool:
    spans = receiver.trace(trace)
    return (
        sum(span.name == "publish note.regenerated" for span in spans) >= 2
        and any(span.name == "write notes" for span in spans)
        and any(span.name == PATCH for span in spans)
        and any(span.name == "decided" for span in spans)
    )


async def test_the_trace_of_one_change_has_the_whole_chain(
    receiver: tuple[Receiver, str], engineer: httpx.AsyncClient
) -> None:
    spans, trace = receiver[0], uuid4().hex
    await record(engineer, await a_fix(engineer), trace)
    await eventually(lambda: is_whole(spans, trace), within_s=PATIENCE_S)

    _, sending, _ = chain(spans, trace)

    assert len(sending.links) == 1
    assert sending.trace == trace  # alone in its batch: all of it is one trace


async def test_the_traces_of_changes_that_shared_a_batch_have_it_too(
    receiver: tuple[Receiver, str], engineer: httpx.AsyncClient
) -> None:
    """How many share a batch is a matter of the moment: they ask together again until three have."""
    spans = receiver[0]
    fixes = [await a_fix(engineer) for _ in range(24)]

    async def three_shared_a_batch() -> bool:
        traces = [uuid4().hex for _ in fixes]
        await asyncio.gather(
            *(record(engineer, fix, trace) for fix, trace in zip(fixes, traces, strict=True))
        )
        await eventually(lambda: all(is_whole(spans, trace) for trace in traces), within_s=PATIENCE_S)
        return max(len(chain(spans, trace)[1].links) for trace in traces) >= 3

    await eventually(three_shared_a_batch, within_s=PATIENCE_S)


def test_no_span_holds_what_people_wrote(receiver: tuple[Receiver, str]) -> None:
    assert receiver[0].spans
    assert "ecret words" not in str(receiver[0].spans)
    assert "Power-cycle" not in str(receiver[0].spans)


async def test_a_request_that_its_caller_does_not_trace_leaves_no_span(
    receiver: tuple[Receiver, str], engineer: httpx.AsyncClient
) -> None:
    untraced, traced = uuid4().hex, uuid4().hex
    for trace, flags in ((untraced, "00"), (traced, "01")):
        await engineer.get("/ai-sessions", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-{flags}"})
    await eventually(lambda: receiver[0].trace(traced), within_s=PATIENCE_S)
    assert not receiver[0].trace(untraced)


async def scrape(stack: Stack, folder: Path) -> set[str]:
    """The metrics that this stack has."""
    urls = [f"{stack.url(name)}/metrics" for name in SERVICES]
    metrics = State.load(folder / "servers").ports.get("rabbitmq:metrics")
    if metrics is not None:
        broker = f"http://127.0.0.1:{metrics}/metrics"
        urls += [broker, f"{broker}/detailed?family=queue_coarse_metrics&family=queue_consumer_count"]
    found: set[str] = set()
    async with http_client() as http:
        for url in urls:
            text = (await http.get(url)).raise_for_status().text
            found |= set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    return {re.sub(r"_total$", "", name) for name in found}


async def test_every_metric_that_dashboards_and_alerts_name_is_in_a_scrape(
    stack: Stack, folder: Path, engineer: httpx.AsyncClient
) -> None:
    await record(engineer, await a_fix(engineer), uuid4().hex)
    there = await scrape(stack, folder)
    named = {name for expression in expressions() for name in metrics_in(expression)} - {"up"}
    if "rabbitmq_detailed_queue_messages" not in there and not _ours(stack.servers):
        named = {name for name in named if not name.startswith("rabbitmq_")}
    assert named <= there


async def test_no_label_has_an_id_for_its_value(stack: Stack, engineer: httpx.AsyncClient) -> None:
    await record(engineer, await a_fix(engineer), uuid4().hex)
    for name in SERVICES:
        metrics = (await engineer.get(f"{stack.url(name)}/metrics")).raise_for_status().text
        assert "rf_" in metrics
        assert not re.findall(r"^rf_.*[0-9a-f]{8}-[0-9a-f]{4}.*$", metrics, re.MULTILINE)


def test_logs_are_lines_of_json_and_quote_nobody(stack: Stack) -> None:
    for name in SERVICES:
        lines = stack.log(name).read_text().splitlines()
        assert lines
        for line in lines:
            assert {"event", "level", "service", "timestamp"} <= json.loads(line).keys()
            assert "ecret words" not in line


def _ours(servers: Servers) -> bool:
    """Whether RabbitMQ is a private one, whose metrics we can ask."""
    return "rabbitmq" in servers.own and servers.own["rabbitmq"].pid is not None
