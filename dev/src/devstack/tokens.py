"""Tokens for people who try the stack out and for tests, signed as the gateway expects on one machine."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import jwt

ROLES = ("viewer", "engineer", "lead", "admin", "service")
DEMO_ACCOUNT = uuid.uuid5(uuid.NAMESPACE_DNS, "demo.resolutionflow.example")
OTHER_ACCOUNT = uuid.uuid5(uuid.NAMESPACE_DNS, "other.resolutionflow.example")
PARTY = "resolutionflow"
A_DAY = timedelta(days=1)


def mint(
    secret: str,
    *,
    account_id: uuid.UUID | str,
    role: str,
    sub: uuid.UUID | str | None = None,
    name: str | None = None,
    ttl: timedelta = A_DAY,
) -> str:
    """A signed token. Without `sub` it is a person of their own in this account for each role."""
    account = uuid.UUID(str(account_id))
    person = uuid.UUID(str(sub)) if sub else uuid.uuid5(account, role)
    claims = {
        "sub": str(person),
        "account_id": str(account),
        "role": role,
        "name": name or role.capitalize(),
        "iss": PARTY,
        "aud": PARTY,
        "exp": datetime.now(UTC) + ttl,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def demo_people() -> str:
    """Whom one may sign in as on the page of a development stack: GATEWAY_DEMO_SIGN_IN."""
    demo, other = (DEMO_ACCOUNT, "Demo MSP"), (OTHER_ACCOUNT, "Another MSP")
    cast = (
        ("Sam Okafor", "engineer", demo),
        ("Priya Nair", "engineer", demo),
        ("Lena Brandt", "lead", demo),
        ("Vera Novak", "viewer", demo),
        ("Noor Haddad", "engineer", other),
    )
    people = [
        {
            "id": str(uuid.uuid5(account, name)),
            "name": name,
            "role": role,
            "account_id": str(account),
            "account": called,
        }
        for name, role, (account, called) in cast
    ]
    return json.dumps(people)
