"""Writes docs/messages.md from the catalogue, the topology and the models: `python -m shared.contracts.document`."""

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Final

from shared.contracts import cache, events, topology
from shared.contracts.catalogue import ROUTES, Route
from shared.contracts.events import CloudEvent
from shared.contracts.markdown import block, code, link, one_line, section, table
from shared.contracts.shapes import Shapes
from shared.contracts.topology import Queue

DOCUMENT: Final = Path(__file__).parents[4] / "docs" / "messages.md"

_INTRODUCTION: Final = """\
<!-- Written by `make contracts` from shared/src/shared/contracts. Change that, not this. -->

# Messages

What the services of ResolutionFlow tell each other over RabbitMQ, and what the tool of another team may subscribe \
to. Bodies are JSON. Whoever reads a message ignores fields that it does not know, so that old and new versions run \
side by side; a new form of a message gets a new version, and its queue a new name. Times are RFC 3339 in UTC.

Nobody but the administrator's `fix-outcomes topology apply` declares exchanges and named queues. Every publisher \
signs with its AMQP `user_id`, which the broker checks, and nobody publishes through the default exchange.
"""

_SUBSCRIBING: Final = """\
## For the author of a PSA tool

Subscribe to the events of one account, and act on them in ConnectWise, HaloPSA, Autotask or whatever you write for.

**Your user.** An operator makes the broker user `{user}` for you with `fix-outcomes topology psa add <account_id>`, \
which prints your connection string, once, and a subscriber in Python to begin with. It does what these do, and in \
this order: the topic permission comes first, since a user without one may bind anything.

```sh
rabbitmqctl add_user '{user}' '<password>'
rabbitmqctl set_topic_permissions '{user}' {exchange} '{allowed.events_write}' '{allowed.events_read}'
rabbitmqctl set_user_limits '{user}' '{{"max-connections": 10, "max-channels": 50}}'
rabbitmqctl set_permissions '{user}' '{allowed.configure}' '{allowed.write}' '{allowed.read}'
```

**Your queue.** Declare it yourself, durable, under a name that begins with `{user}.` (another name is refused with \
403), and bind it to the topic exchange `{exchange}`. Binding keys begin with your account:

| to get | bind |
|---|---|
| everything of your account | `<account_id>.#` |
| what is recorded about fixes | `<account_id>.*.fix.#` |
| outcomes alone | `<account_id>.*.fix.outcome_recorded` |
| one session | `<account_id>.<session_id>.#` |

A queue that nobody reads is bounded in length and size, loses its oldest events first, and is deleted after some days.

**Your consumer.** Use a quorum queue or a durable classic one, acknowledge by hand after you have done your work, \
and mind four things:

- *At least once.* An event can come again, after a lost connection or a restart here. A repeat has the same `id` \
(also as AMQP `message_id`): remember the ids that you have handled, or make your work repeatable.
- *In order per session.* Events of one session arrive in the order in which they were accepted, if one consumer \
reads the queue and handles one at a time. Between sessions there is no order.
- *`sequence`* counts the accepted changes of a session from 1, without gaps, padded with zeros to 20 digits. \
A number that you have seen is a repeat: drop it. A number that you expected and did not get was lost on your side \
of the broker: read `GET /api/v1/ai-sessions/<session_id>/history`. `note.regenerated` is no change, so it has none.
- *Thin.* An event says what changed and names the rest by id. Read the rest through the API.

An event tells of what has been committed: when somebody got the answer 200, its event will come. `data.state_version` \
counts the changes that a note is written from; notes and `ETag`s name it.
"""

_EVENTS: Final = """\
Every event is a CloudEvent 1.0 in structured mode: content type `{content_type}`, persistent, its `id` also the AMQP \
`message_id`. What is in `data` depends on the type. The envelope:
"""

_QUEUES: Final = """\
All are durable. A queue's arguments cannot change, so its name carries a version. Beside these each replica of the \
gateway and of note-generator has exclusive queues of its own, `<service>.<replica>.<connection>.replies` and, in the \
gateway, `….updates`, which end with their connection.
"""

_USERS: Final = """\
Regular expressions, as RabbitMQ keeps them. The last two columns are the topic permissions on `rf.events`.
"""

_CACHE: Final = "In Redis, which may lose all of it at any moment.\n"


def document() -> str:
    """The whole page."""
    shapes = Shapes({model for route in ROUTES.values() for model in (route.model, route.data) if model})
    told = [route for route in ROUTES.values() if route.data]
    internal = [route for route in ROUTES.values() if not route.data]
    parts = (
        _INTRODUCTION,
        _subscribing(),
        section("All messages", _overview()),
        section("Events", *_envelope(shapes), *(_message(route, shapes) for route in told)),
        section("Between the services", *(_message(route, shapes) for route in internal)),
        section("What messages contain", *shapes.contained()),
        section("Exchanges", _exchanges()),
        section("Queues", _QUEUES, _queues()),
        section("Broker users", _USERS, _users()),
        section("Cache keys", _CACHE, _cache_keys()),
    )
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _subscribing() -> str:
    account = "<account_id>"
    return _SUBSCRIBING.format(
        user=topology.psa_user(account),
        exchange=topology.EVENTS,
        allowed=topology.psa_permissions(account),
    )


def _overview() -> str:
    rows = ((link(_title(route)), code(route.exchange), *_parties(route)) for route in ROUTES.values())
    return table(("message", "exchange", "from", "to"), rows)


def _title(route: Route) -> str:
    return route.name.removeprefix("event ")


def _parties(route: Route) -> tuple[str, str]:
    return ", ".join(map(str, route.producers)), ", ".join(map(str, route.consumers))


def _envelope(shapes: Shapes) -> tuple[str, str]:
    return _EVENTS.format(content_type=events.CONTENT_TYPE), shapes.fields(CloudEvent.__name__)


def _message(route: Route, shapes: Shapes) -> str:
    """One message: what it means, where it travels, what is in it, an example."""
    return "\n\n".join(
        (f"### {_title(route)}", one_line(route.meaning), _place(route), *_inside(route, shapes))
    )


def _place(route: Route) -> str:
    sender, receiver = _parties(route)
    rows = [
        ("exchange", code(route.exchange)),
        ("routing key", code(route.routing_key)),
        ("queue", ", ".join(map(code, route.queues)) or "each consumer's own"),
        ("from", sender),
        ("to", receiver),
    ]
    if isinstance(route.example, CloudEvent):
        rows.append(("type", code(route.example.type)))
    return table(("", ""), rows)


def _inside(route: Route, shapes: Shapes) -> tuple[str, ...]:
    first = next(each for each in ROUTES.values() if each.example is route.example)
    if first is not route:
        return (f"Fields and example are those of {link(_title(first))}.",)
    example = route.example.model_dump(mode="json", by_alias=True, exclude_none=True)
    heading = "In `data`:" if route.data else "In the body:"
    return heading, shapes.fields((route.data or route.model).__name__), "For example:", block(example)


def _exchanges() -> str:
    rows = (
        (
            code(name),
            kind,
            ", ".join(link(_title(route)) for route in ROUTES.values() if route.exchange == name),
        )
        for name, kind in topology.EXCHANGES.items()
    )
    return table(("exchange", "type", "carries"), rows)


def _queues() -> str:
    rows = (
        (
            code(queue.name),
            f"{code(queue.exchange)} {code(queue.routing_key)}",
            _arguments(queue),
            _afterwards(queue),
        )
        for queue in topology.queues()
    )
    return table(("queue", "receives", "arguments", "a dead letter goes to"), rows)


def _arguments(queue: Queue) -> str:
    return ", ".join(
        code(f"{name.removeprefix('x-')}={value}")
        for name, value in queue.arguments.items()
        if not name.startswith("x-dead-letter")
    )


def _afterwards(queue: Queue) -> str:
    """Where the broker puts what it takes out of this queue."""
    places = [
        code(other.name)
        for other in topology.queues()
        if other.exchange == queue.arguments.get("x-dead-letter-exchange")
        and other.routing_key == queue.dead_letter_key
    ]
    return ", ".join(places) or "nowhere"


def _users() -> str:
    users = {str(service): allowed for service, allowed in topology.PERMISSIONS.items()}
    users[topology.psa_user("<account_id>")] = topology.psa_permissions("<account_id>")
    rows = ((code(user), *map(code, astuple(allowed))) for user, allowed in users.items())
    return table(("user", "configure", "write", "read", "topics written", "topics read"), rows)


def _cache_keys() -> str:
    rows = ((code(_pattern(make)), one_line(make.__doc__)) for make in _key_makers())
    return table(("key", "holds"), rows)


def _key_makers() -> list[Callable[..., str]]:
    functions = inspect.getmembers(cache, inspect.isfunction)
    return [function for name, function in functions if name.endswith("_key")]


def _pattern(make: Callable[..., str]) -> str:
    """`rf:note:<account_id>:…`: the names of a key's parts in their places."""
    return make(**{name: f"<{name}>" for name in inspect.signature(make).parameters})


def stale_sections(found: str, wanted: str) -> list[str]:
    """The headings under which two pages differ."""
    old, new = _by_heading(found), _by_heading(wanted)
    return [heading for heading in dict.fromkeys((*new, *old)) if old.get(heading) != new.get(heading)]


def _by_heading(page: str) -> dict[str, str]:
    parts = re.split(r"^(?=##+ )", page, flags=re.MULTILINE)
    return {part.partition("\n")[0].lstrip("#<!- "): part for part in parts}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or say what in it is out of date."""
    parser = argparse.ArgumentParser(prog="python -m shared.contracts.document", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when the page is out of date"
    )
    wanted, found = document(), DOCUMENT.read_text() if DOCUMENT.exists() else ""
    if not parser.parse_args(arguments).check:
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(wanted)
        return 0
    stale = stale_sections(found, wanted)
    if stale:
        sys.stderr.write(f"{DOCUMENT} is out of date; run `make contracts`. It differs under:\n")
        sys.stderr.writelines(f"  {heading}\n" for heading in stale)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
