"""Which parked messages are believed: the broker checked who published them, and nobody checked their headers."""

from typing import Any

import pytest
from aio_pika import IncomingMessage
from aiormq.abc import DeliveredMessage
from pamqp import commands as spec
from pamqp.header import ContentHeader
from shared.contracts.topology import FIX_OUTCOMES_COMMANDS
from shared.contracts.vocabulary import Service
from shared.parked import Parked, describe, from_a_stranger

KILLED = [{"reason": "delivery_limit", "queue": FIX_OUTCOMES_COMMANDS.name, "count": 1}]


def parked(user: str | None, **headers: Any) -> Parked:
    """What is made of a message of this user in the parking queue of fix-outcomes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    header = ContentHeader(properties=spec.Basic.Properties(headers=named, user_id=user))
    delivery = spec.Basic.Deliver("tag", 1, False, "rf.dead-letters", FIX_OUTCOMES_COMMANDS.key)
    message = IncomingMessage(DeliveredMessage(delivery=delivery, header=header, body=b"{}", channel=None))  # type: ignore[arg-type]
    return describe(message, own=Service.FIX_OUTCOMES, trusted=FIX_OUTCOMES_COMMANDS.trusted)


def test_what_the_service_parked_says_itself_why_and_whose_it_is() -> None:
    found = parked("fix-outcomes", reason="DataError", attempts=4, published_by="gateway")
    assert (found.reason, found.attempts, found.published_by, found.strange) == (
        "DataError",
        4,
        "gateway",
        False,
    )


@pytest.mark.parametrize("user", ["gateway", "fix-outcomes"])
def test_what_workers_died_of_is_no_strangers_if_who_published_it_is_trusted(user: str) -> None:
    found = parked(user, x_death=KILLED)
    assert (found.reason, found.published_by, found.strange) == ("delivery_limit", user, False)


@pytest.mark.parametrize("user", ["mallory", None])
def test_what_the_service_parked_as_a_strangers_is_strange(user: str | None) -> None:
    by = {} if user is None else {"published_by": user}
    assert parked("fix-outcomes", reason=from_a_stranger(user), **by).strange


@pytest.mark.parametrize("user", ["note-generator", None])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"reason": "DataError", "attempts": 4, "published_by": "gateway"},
        {"x_death": KILLED, "published_by": "gateway"},
        {"x_death": ["nonsense"], "reason": "DataError"},
    ],
)
def test_no_header_makes_a_strangers_message_look_like_one_of_ours(
    user: str | None, headers: dict[str, Any]
) -> None:
    found = parked(user, **headers)
    assert found.strange
    assert (found.reason, found.published_by) == (f"published by {user}, who may not", user)


def test_what_is_trusted_in_the_work_queue_is_strange_where_it_went_straight_to_parking() -> None:
    assert parked("gateway", reason="DataError").strange
