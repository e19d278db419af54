"""Plays one ticket through the gateway, step by step, and compares what happened with what its file says."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import ValidationError
from shared.contracts.views import Note, SessionWithFixes
from shared.contracts.vocabulary import NoteKind

from devstack.api import Answer, Api, Call, GaveUpError
from devstack.headlines import headline, race_lines, refusal
from devstack.scene import Scene, call_for, opening
from devstack.ticket_format import AnyStep, Later, Race, Ticket

CONFLICT = 409


class SurpriseError(Exception):
    """Something went otherwise than the ticket's file says."""


@dataclass
class Played:
    """What became of one ticket. `trouble` is empty when everything went as its file says."""

    name: str
    scene: Scene
    story: list[str] = field(default_factory=list)
    session: SessionWithFixes | None = None
    trouble: str = ""
    seconds: float = 0.0

    @property
    def ticket(self) -> Ticket:
        """What the file says."""
        return self.scene.ticket


async def play_ticket(name: str, scene: Scene, api: Api) -> Played:
    """Play all steps in order. Never raises for what the gateway does: that is `trouble`."""
    played = Played(name, scene)
    started = time.perf_counter()
    try:
        await _play(played, scene, api)
    except (GaveUpError, SurpriseError) as error:
        played.trouble = str(error)
    except (KeyError, ValidationError) as error:
        played.trouble = f"an answer is not as the API promises: {error!r}"
    played.seconds = time.perf_counter() - started
    return played


async def preview(scene: Scene, kind: NoteKind, api: Api) -> tuple[Note, bool]:
    """The document as an engineer sees it now, and whether it was found ready."""
    path = scene.path(f"/{kind.replace('_', '-')}/preview")
    answer = await api.send(Call("preview", "POST", path, scene.engineer()))
    if not answer.accepted:
        raise SurpriseError(f"{path}: {refusal(answer)}")
    note = Note.model_validate({"session_id": scene.session, "kind": kind, **answer.body})
    return note, bool(answer.body["from_cache"])


async def _play(played: Played, scene: Scene, api: Api) -> None:
    answer = await api.send(opening(scene))
    _expect(None, answer, "opening the session")
    scene.session = answer.body["id"]
    for number, step in enumerate(scene.ticket.steps):
        played.story.extend(await _perform(step, scene, api, f"steps[{number}]"))
    answer = await api.send(Call("read session", "GET", scene.path(), scene.engineer()))
    _expect(None, answer, "reading the session")
    played.session = SessionWithFixes.model_validate(answer.body)
    _check_ending(scene, played.session)
    await _check_notes(scene, api)


async def _perform(step: AnyStep, scene: Scene, api: Api, place: str) -> list[str]:
    if isinstance(step, Later):
        return [headline(step)]
    if isinstance(step, Race):
        answers = await asyncio.gather(*(api.send(call_for(entry, scene)) for entry in step.race))
        _expect_one_winner(answers, place)
        return race_lines(step, answers)
    answer = await api.send(call_for(step, scene))
    _expect(step.expect, answer, place)
    if answer.accepted:
        scene.remember(step, answer)
        return [line] if (line := headline(step)) else []
    return [f"{headline(step)} -> {refusal(answer)}"]


def _expect(status: int | None, answer: Answer, place: str) -> None:
    if answer.accepted if status is None else answer.status == status:
        return
    got = "it was accepted" if answer.accepted else f"{refusal(answer)} {answer.body.get('detail', '')}"
    raise SurpriseError(f"{place}: expected {status or 'success'}, but {got}")


def _expect_one_winner(answers: Iterable[Answer], place: str) -> None:
    statuses = sorted(answer.status for answer in answers)
    if statuses != [200] + [CONFLICT] * (len(statuses) - 1):
        raise SurpriseError(f"{place}: expected one 200 and else 409, got {statuses}")


def _check_ending(scene: Scene, session: SessionWithFixes) -> None:
    if scene.ticket.ends_as is None:
        return
    if session.status != scene.ticket.ends_as.session:
        raise SurpriseError(f"ends_as.session: {scene.ticket.ends_as.session}, but it is {session.status}")
    statuses = {str(fix.id): fix.status for fix in session.fixes}
    for name, wanted in scene.ticket.ends_as.fixes.items():
        if (status := statuses.get(scene.fixes[name])) != wanted:
            raise SurpriseError(f"ends_as.fixes.{name}: {wanted}, but it is {status}")


async def _check_notes(scene: Scene, api: Api) -> None:
    for kind in NoteKind if scene.ticket.keep_out_of_notes else ():
        note, _ = await preview(scene, kind, api)
        if any(words in note.markdown for words in scene.ticket.keep_out_of_notes):
            raise SurpriseError(f"keep_out_of_notes: the {kind} shows it")
