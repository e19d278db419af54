"""Sessions brought into the state that a test begins with, through the API."""

from collections.abc import Awaitable, Callable

from e2e.client import Person, fix_path
from shared.contracts.views import Fix

TITLE = "No internet at reception, Harbour Dental"
TICKET = {"system": "halopsa", "id": "0092114", "url": "https://halo.example/tickets/92114"}
FIX = {
    "title": "Update the router firmware to 3.2.1",
    "description": "Install 3.2.1 from the vendor's portal, then the client power-cycles the router once.",
}
REASON = "Client power-cycles the router after 18:00, then 30 min without a restart"
NOTES = "Reception is done; the access point in the back office still runs 3.1.0"

AI_REASON = "the client power-cycled the router and reports a stable connection all evening"

Scene = Callable[[Person, Person], Awaitable[Fix]]


async def proposed(engineer: Person, program: Person, title: str = TITLE) -> Fix:
    session_id = await engineer.open_session(title=title, ticket=TICKET)
    await engineer.say(
        session_id, "Remoted into the router: firmware 3.1.0, uptime 11 min, WAN flaps in the log"
    )
    release = (
        "Release 3.2.1 fixes a watchdog reset on this model. Install it, then power-cycle the router once."
    )
    await engineer.say(session_id, release, role="assistant")
    await engineer.confirm(session_id, "The router restarts on its own; the line itself has sync.")
    return await engineer.suggest(session_id, **FIX)


async def verifying(engineer: Person, program: Person, title: str = TITLE) -> Fix:
    return (await engineer.apply(await proposed(engineer, program, title))).fix


async def nudge(engineer: Person, program: Person) -> Fix:
    fix = await verifying(engineer, program)
    for words in ("3.2.1 is on, it restarted once", "Uptime 8 min", "Still up after 25 min, WAN is quiet"):
        await engineer.say(fix.session_id, words)
    return fix


async def pending(engineer: Person, program: Person) -> Fix:
    return (await engineer.record(await verifying(engineer, program), "applied_pending", REASON)).fix


async def partial(engineer: Person, program: Person) -> Fix:
    fix = await verifying(engineer, program, "Wi-Fi drops in the back office, Harbour Dental")
    return (await engineer.record(fix, "applied_partial", NOTES)).fix


async def ai_confirming(engineer: Person, program: Person) -> Fix:
    fix = await verifying(engineer, program)
    words = "Switched it off and on after closing. The internet has been fine all evening, thank you!"
    said = (await engineer.say(fix.session_id, words, role="client")).message
    evidence = [{"message_id": str(said.id), "quote": "The internet has been fine all evening"}]
    await program.propose(fix, reason=AI_REASON, confidence_pct=85, evidence=evidence)
    return (await engineer.get(fix_path(fix))).fix


SCENES: dict[str, Scene] = {
    "proposed": proposed,
    "verifying": verifying,
    "nudge": nudge,
    "pending": pending,
    "partial": partial,
    "ai_confirming": ai_confirming,
}
