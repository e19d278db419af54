"""The demo on stacks whose model is not to be had: every ticket is played, and the template wrote each note."""

import asyncio
from pathlib import Path

import pytest
from devstack.containers import start_test_servers
from devstack.demo import play
from devstack.stack import Stack
from messages_api import MessagesApi, went_wrong

SHIPPED = Path(__file__).parents[2] / "examples" / "tickets"


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.parametrize("model", ["no key", "a wrong key", "nobody there", "no budget"])
async def test_the_demo_is_complete_without_a_model(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with MessagesApi(lambda _: went_wrong(401, "authentication_error")).serving() as api:
        url = {"a wrong key": api.url, "nobody there": "http://127.0.0.1:1"}.get(model, api.url)
        llm = {"NOTE_GENERATOR_ANTHROPIC_API_KEY": "none", "NOTE_GENERATOR_ANTHROPIC_BASE_URL": url}
        if model == "no budget":
            llm["NOTE_GENERATOR_BUDGET_USD_PER_DAY"] = "0"
        settings = {"note-generator": {} if model == "no key" else llm}
        assert await asyncio.to_thread(_played, tmp_path, settings) == 0
    assert bool(api.requests) == (model == "a wrong key")
    printed = capsys.readouterr().out
    assert printed.count("template, state_version") >= 4
    assert "llm, state_version" not in printed


def _played(folder: Path, settings: dict[str, dict[str, str]]) -> int:
    with (
        start_test_servers(folder / "servers") as servers,
        Stack(folder / "stack", servers=servers, settings=settings) as stack,
    ):
        return play(stack.url(), stack.jwt_secret, SHIPPED)
