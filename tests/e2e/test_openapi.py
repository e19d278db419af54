"""The running gateway against its own description: generated requests, the same each time."""

import asyncio
from typing import Any

import pytest
import schemathesis
from devstack.stack import Stack
from e2e.client import SESSIONS, Person
from e2e.test_isolation import ROUTES
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
WITHOUT_AN_ID = [("GET", SESSIONS), ("POST", SESSIONS), ("GET", "/api/v1/pending-verifications")]
EXAMPLES = 15


@pytest.fixture(scope="module")
def description(stack: Stack) -> Any:
    return schemathesis.openapi.from_url(f"{stack.url()}/openapi.json")


@pytest.fixture
async def known(engineer: Person) -> dict[str, str]:
    """Ids that exist."""
    fix = await engineer.suggested_fix()
    return {"session_id": str(fix.session_id), "fix_id": str(fix.id)}


def test_every_route_is_asked(description: Any) -> None:
    served = {
        (method.upper(), path)
        for path, methods in description.raw_schema["paths"].items()
        for method in methods
    }
    assert served == {*WITHOUT_AN_ID, *ROUTES}


@pytest.mark.parametrize(("method", "path"), [*WITHOUT_AN_ID, *ROUTES])
async def test_no_generated_request_is_answered_otherwise_than_described(
    description: Any, engineer: Person, known: dict[str, str], method: str, path: str
) -> None:
    operation = description[path][method]
    answered = set()

    @seed(20261124)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), exists=st.booleans())
    def ask(case: Any, exists: bool) -> None:
        if exists and not path.endswith("/events"):  # a stream that opens does not end
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
        headers = {"Authorization": f"Bearer {engineer.token}"}
        answered.add(case.call_and_validate(checks=CHECKS, headers=headers).status_code)

    await asyncio.to_thread(ask)  # the model is served by this loop
    assert answered
