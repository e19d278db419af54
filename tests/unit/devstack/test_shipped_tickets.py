"""The demo's tickets that ship are right, tell every kind of story, and name nobody who exists."""

import ipaddress
import re
from pathlib import Path

import pytest
from devstack.ticket_format import Race, Record, Say
from devstack.tickets import load_tickets
from shared.contracts.vocabulary import Outcome

SHIPPED = Path(__file__).parents[3] / "examples" / "tickets"


def test_all_shipped_tickets_are_valid_and_there_are_enough() -> None:
    assert len(load_tickets(SHIPPED)) >= 14


def test_shipped_tickets_tell_every_kind_of_story() -> None:
    steps = [step for ticket in load_tickets(SHIPPED).values() for step in ticket.steps]
    assert {step.record.outcome for step in steps if isinstance(step, Record)} == set(Outcome)
    assert any(isinstance(step, Race) for step in steps)
    assert any(isinstance(step, Say) and len(step.say.text.splitlines()) >= 400 for step in steps)
    assert any(ticket.keep_out_of_notes for ticket in load_tickets(SHIPPED).values())


RESERVED = [
    ipaddress.ip_network(net)
    for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
RESERVED_NAMES = re.compile(r"(^|\.)(example(\.(com|net|org))?|test|invalid)$")


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.json")), ids=lambda file: file.stem)
def test_shipped_tickets_use_reserved_names_and_addresses_only(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    addresses = re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text) + re.findall(
        r"\b[0-9a-f]{1,4}:[0-9a-f:]*::[0-9a-f]*", text
    )
    strange = [a for a in addresses if not any(ipaddress.ip_address(a) in net for net in RESERVED)]
    hosts = re.findall(r"(?:https?://|@)([\w.-]*\w)", text)
    strange += [host for host in hosts if host not in addresses and not RESERVED_NAMES.search(host)]
    strange += [number for number in re.findall(r"\b555-\d{4}\b", text) if not number.startswith("555-01")]
    assert strange == []
