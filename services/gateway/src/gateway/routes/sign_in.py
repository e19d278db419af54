"""What the page's sign-in offers: on a development stack, people to be; elsewhere nobody, and a token is pasted."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import jwt
import orjson
from fastapi import APIRouter, Body
from pydantic import SecretStr
from shared.contracts.problems import ProblemCode
from starlette.responses import Response

from gateway.changes import JSON
from gateway.parts import GatewayParts
from gateway.problems import Problem
from gateway.settings import DemoPerson, Settings

router = APIRouter(prefix="/sign-in", include_in_schema=False)

_GOOD_FOR = timedelta(hours=12)


@router.get("")
async def list_demo_people(parts: GatewayParts) -> Response:
    """The people whom anybody may be here; none unless the operator allowed it."""
    people = [person.model_dump(mode="json") for person in parts.settings.demo_sign_in]
    return Response(orjson.dumps({"people": people}), media_type=JSON)


@router.post("")
async def become_demo_person(parts: GatewayParts, person_id: Annotated[UUID, Body(embed=True)]) -> Response:
    """A token for one of them."""
    secret = parts.settings.jwt_secret
    for person in parts.settings.demo_sign_in if secret else ():
        if person.id == person_id and secret:
            expires = parts.clock() + _GOOD_FOR
            token = _token(person, parts.settings, secret, exp=expires)
            return Response(orjson.dumps({"token": token}), media_type=JSON)
    raise Problem(ProblemCode.NOT_FOUND, "There is nothing here")


def _token(person: DemoPerson, settings: Settings, secret: SecretStr, **claims: Any) -> str:
    return jwt.encode(
        {
            "sub": str(person.id),
            "account_id": str(person.account_id),
            "role": person.role.value,
            "name": person.name,
            "iss": settings.jwt_issuer,
            "aud": settings.jwt_audience,
            **claims,
        },
        secret.get_secret_value(),
        "HS256",
    )
