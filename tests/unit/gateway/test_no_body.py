"""What reads no body refuses one: somebody who sends notes with `apply` must hear that nobody reads them."""

import pytest
from unit.gateway.gateway_doubles import FIX, SESSION, Bench

_SESSION = f"/api/v1/ai-sessions/{SESSION}"
BODILESS = [
    ("POST", f"{_SESSION}/suggested-fixes/{FIX}/apply"),
    ("DELETE", f"{_SESSION}/suggested-fixes/{FIX}/ai-outcome-proposal"),
    ("POST", f"{_SESSION}/resolve"),
    ("POST", f"{_SESSION}/escalate"),
    ("POST", f"{_SESSION}/resolution-note/preview"),
    ("POST", f"{_SESSION}/escalation-package/preview"),
]


@pytest.mark.parametrize("content", [b'{"notes": "it worked"}', b"[]", b"{", b"x"])
@pytest.mark.parametrize(("method", "path"), BODILESS)
async def test_a_body_that_nobody_reads_is_422(bench: Bench, method: str, path: str, content: bytes) -> None:
    reply = await bench.send(method, path, content=content)
    assert (reply.status_code, reply.json()["errors"][0]["location"]) == (422, "body")
    assert not bench.commands.asked
    assert not bench.queries.asked


@pytest.mark.parametrize("content", [b"", b"{}", b" {}\n"])
@pytest.mark.parametrize(("method", "path"), BODILESS)
async def test_an_empty_object_says_nothing_and_is_taken(
    bench: Bench, method: str, path: str, content: bytes
) -> None:
    assert (await bench.send(method, path, content=content)).status_code == 200


def test_every_change_and_preview_without_a_body_is_in_this_list(bench: Bench) -> None:
    described = bench.app.openapi()["paths"]
    bodiless = {
        (method.upper(), path.format(session_id=SESSION, fix_id=FIX))
        for path, operations in described.items()
        for method, operation in operations.items()
        if method != "get" and "requestBody" not in operation
    }
    assert bodiless == set(BODILESS)
