"""Experiments with the model that writes the notes: whatever it answers, changes go on and no note lies."""

from collections.abc import Awaitable, Callable
from typing import Final

from faults import record
from faults.client import SESSIONS
from faults.experiment import Experiment, Scene
from faults.injector import until
from faults.llm import MOODS, OBEDIENT

_FAILED_CALLS: Final = 3
_WRITTEN: Final = 2


def _failing(mood: str) -> Callable[[Scene], Awaitable[None]]:
    async def harm(scene: Scene) -> None:
        """While the model fails the template writes, and its notes say so; no change is refused for it."""
        llm, errors = scene.stage.llm, scene.load.progress.server_errors
        await _writes(scene)
        async with scene.injector.noted(f"the model answers {mood}"):
            llm.mood, before = mood, llm.failed
            try:
                await until("the model fails", lambda: llm.failed >= before + _FAILED_CALLS)
                await _says_so(scene)
            finally:
                llm.mood = None
        assert scene.load.progress.server_errors == errors, "answers were 5xx because of the model"
        await _writes(scene)

    return harm


async def _killed_during_call(scene: Scene) -> None:
    await _writes(scene)
    await scene.injector.crash("note-generator", "during the LLM call", at_pass=scene.rng.randint(1, 4))
    await _writes(scene)


async def _writes(scene: Scene) -> None:
    """The model is asked, and answers."""
    goal = len(scene.stage.llm.wrote) + _WRITTEN
    await until("the model writes", lambda: len(scene.stage.llm.wrote) >= goal)


async def _says_so(scene: Scene) -> None:
    """A document that is written now is the template's, with a reason; none says what the model made up."""
    account = scene.load.accounts[0]
    for session in account.sessions[-3:]:
        path = f"{SESSIONS}/{session}/resolution-note/preview"
        request = scene.load.request("reader", account, "preview", "POST", path, session=session)
        seen = await scene.load.call(request, account.token)
        assert seen.accepted, f"{seen}: no preview while the model fails"
    notes = await record.notes(scene.stage.addresses.redis_url, [each.id for each in scene.load.accounts])
    written = [stored["note"] for stored in notes.values()]
    assert not [note for note in written if OBEDIENT in note["markdown"]], (
        "a note says what the model made up"
    )
    degraded = [note for note in written if note["degraded"]]
    assert degraded, "no note says that the template wrote in the model's place"
    assert all(note["warnings"] and note["generator"] == "template" for note in degraded)


MODELS: Final = (
    *(Experiment(f"llm-{mood}", _failing(mood), model=True) for mood in MOODS),
    Experiment("crash-during-llm-call", _killed_during_call, model=True),
)
