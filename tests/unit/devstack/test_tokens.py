import uuid
from datetime import timedelta

import jwt
import pytest
from devstack.tokens import ROLES, mint

SECRET = "s" * 48
ACCOUNT = uuid.UUID("11111111-1111-4111-8111-111111111111")


def claims(token: str) -> dict[str, object]:
    decoded: dict[str, object] = jwt.decode(
        token, SECRET, algorithms=["HS256"], audience="resolutionflow", issuer="resolutionflow"
    )
    return decoded


def test_a_token_says_who_in_which_account_and_as_what() -> None:
    person = uuid.uuid4()

    result = claims(mint(SECRET, account_id=ACCOUNT, role="lead", sub=person, name="Ada"))

    assert result["sub"] == str(person)
    assert result["account_id"] == str(ACCOUNT)
    assert (result["role"], result["name"]) == ("lead", "Ada")


def test_each_role_is_a_person_of_its_own_and_the_same_one_every_time() -> None:
    people = [claims(mint(SECRET, account_id=ACCOUNT, role=role))["sub"] for role in ROLES]
    again = [claims(mint(SECRET, account_id=ACCOUNT, role=role))["sub"] for role in ROLES]

    assert len(set(people)) == len(ROLES)
    assert people == again


def test_a_token_expires() -> None:
    token = mint(SECRET, account_id=ACCOUNT, role="viewer", ttl=timedelta(seconds=-1))

    with pytest.raises(jwt.ExpiredSignatureError):
        claims(token)


def test_an_account_that_is_no_uuid_is_refused() -> None:
    with pytest.raises(ValueError, match="UUID"):
        mint(SECRET, account_id="acme", role="viewer")
