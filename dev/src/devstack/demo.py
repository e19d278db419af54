"""`make demo`: plays a folder of tickets against a running stack as engineers would, and shows what came of them."""

import asyncio
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import httpx
from shared.contracts.vocabulary import Role

from devstack.api import ANSWER_WITHIN, MAX_CONNECTIONS, Api, GaveUpError
from devstack.play import Played, SurpriseError, play_ticket, preview
from devstack.report import OUTCOMES, TIMING, outcomes, telling, timing, where_to_look
from devstack.scene import Scene, TokenFor
from devstack.screen import Screen
from devstack.ticket_format import Ticket
from devstack.tickets import InvalidTicketsError, load_tickets
from devstack.tokens import DEMO_ACCOUNT, mint

TICKETS_AT_ONCE = 4


def play(gateway_url: str, jwt_secret: str, folder: Path) -> int:
    """Play every ticket of `folder` through the gateway and print what came of it.

    Returns 0; 1 when a ticket went otherwise than its file says or the gateway gave no answer; 2 when the folder
    cannot be played, before anything is sent.
    """
    tickets = playable(folder)
    if tickets is None:
        return 2
    return asyncio.run(_play(gateway_url, _tokens(jwt_secret), tickets))


def playable(folder: Path) -> Mapping[str, Ticket] | None:
    """The folder's tickets; None where it cannot be played, having said why."""
    try:
        return load_tickets(folder)
    except InvalidTicketsError as error:
        print(f"{folder} cannot be played (the format: docs/tickets.md):\n{error}", file=sys.stderr)
        return None


def _tokens(secret: str) -> TokenFor:
    @cache
    def token_for(name: str, role: Role) -> str:
        return mint(secret, account_id=DEMO_ACCOUNT, role=role, sub=uuid.uuid5(DEMO_ACCOUNT, name), name=name)

    return token_for


async def _play(gateway_url: str, token_for: TokenFor, tickets: Mapping[str, Ticket]) -> int:
    screen = Screen(len(tickets))
    limits = httpx.Limits(max_connections=MAX_CONNECTIONS)
    async with httpx.AsyncClient(
        base_url=gateway_url, timeout=ANSWER_WITHIN, limits=limits, trust_env=False
    ) as http:
        api = Api(http, tell=lambda text: screen.line(f"    … {text}", "yellow"))
        if not await _answers(http, screen):
            return 1
        started = time.perf_counter()
        with screen:
            played = await _play_all(tickets, token_for, api, screen)
        seconds = time.perf_counter() - started
        await _show_notes(played, api, screen)
    _show_figures(played, api, screen, seconds)
    screen.line(where_to_look(gateway_url, str(DEMO_ACCOUNT), _best_session(played)))
    return 1 if any(one.trouble for one in played) else 0


async def _answers(http: httpx.AsyncClient, screen: Screen) -> bool:
    try:
        await http.get("/healthz")
    except httpx.TransportError as error:
        reason = type(error).__name__
        screen.line(f"nobody answers at {http.base_url} ({reason}): `make up` starts the stack", "bold red")
        return False
    return True


async def _play_all(
    tickets: Mapping[str, Ticket], token_for: TokenFor, api: Api, screen: Screen
) -> Sequence[Played]:
    places = asyncio.Semaphore(TICKETS_AT_ONCE)

    async def one(name: str, ticket: Ticket) -> Played:
        async with places:
            played = await play_ticket(name, Scene(ticket, token_for), api)
        screen.story(played)
        return played

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(name, ticket)) for name, ticket in tickets.items()]
    return [task.result() for task in tasks]


async def _show_notes(played: Sequence[Played], api: Api, screen: Screen) -> None:
    for why, one, kind in telling(played):
        try:
            note, from_cache = await preview(one.scene, kind, api)
        except (GaveUpError, SurpriseError) as error:
            one.trouble = str(error)
            screen.line(f"{one.name}: {error}", "bold red")
        else:
            screen.note(why, one, note, from_cache=from_cache)


def _show_figures(played: Sequence[Played], api: Api, screen: Screen, seconds: float) -> None:
    screen.table("Outcomes", OUTCOMES, outcomes(played))
    screen.table("Timing, as the client saw it", TIMING, timing(api.seconds))
    calls = sum(map(len, api.seconds.values()))
    wrong = [one.name for one in played if one.trouble]
    screen.line(
        f"tickets: {len(played)}, {TICKETS_AT_ONCE} at a time; calls: {calls}; seconds: {seconds:.1f}\n"
    )
    if wrong:
        screen.line(f"went otherwise than their files say: {', '.join(wrong)}", "bold red")


def _best_session(played: Sequence[Played]) -> str:
    return next((one.scene.session for one in played if one.session), "<session id>")
