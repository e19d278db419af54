"""`/asyncapi`: the messages behind the API, for those who subscribe to them."""

from importlib.metadata import version

import orjson
from fastapi import APIRouter
from shared.contracts import asyncapi
from starlette.responses import Response

from gateway.changes import JSON

router = APIRouter(include_in_schema=False)


@router.get("/asyncapi")
async def describe_messages() -> Response:
    """The AsyncAPI 3.0 document, made from the models that the services use."""
    return Response(orjson.dumps(asyncapi.document(version=version("gateway"))), media_type=JSON)
