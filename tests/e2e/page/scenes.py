"""Sessions brought into the state that a test begins with, through the API."""

from collections.abc import Awaitable, Callable

from e2e.client import Person, fix_path
from shared.contracts.views import Fix

REASON = "Client power-cycles the router after 18:00"
NOTES = "3 of 5 laptops done"

Scene = Callable[[Person, Person], Awaitable[Fix]]


async def proposed(engineer: Person, program: Person) -> Fix:
    session_id = await engineer.open_session(title="No internet at reception")
    await engineer.confirm(session_id, "The router reboots on its own")
    return await engineer.suggest(session_id)


async def verifying(engineer: Person, program: Person) -> Fix:
    return (await engineer.apply(await proposed(engineer, program))).fix


async def nudge(engineer: Person, program: Person) -> Fix:
    fix = await verifying(engineer, program)
    for words in ("Installed it", "It restarts", "The lamp is green"):
        await engineer.say(fix.session_id, words)
    return fix


async def pending(engineer: Person, program: Person) -> Fix:
    return (await engineer.record(await verifying(engineer, program), "applied_pending", REASON)).fix


async def partial(engineer: Person, program: Person) -> Fix:
    return (await engineer.record(await verifying(engineer, program), "applied_partial", NOTES)).fix


async def ai_confirming(engineer: Person, program: Person) -> Fix:
    fix = await verifying(engineer, program)
    words = "The internet is back, thanks!"
    said = (await engineer.say(fix.session_id, words, role="client")).message
    evidence = [{"message_id": str(said.id), "quote": "The internet is back"}]
    await program.propose(fix, confidence_pct=85, evidence=evidence)
    return (await engineer.get(fix_path(fix))).fix


SCENES: dict[str, Scene] = {
    "proposed": proposed,
    "verifying": verifying,
    "nudge": nudge,
    "pending": pending,
    "partial": partial,
    "ai_confirming": ai_confirming,
}
