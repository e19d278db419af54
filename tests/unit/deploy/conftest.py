"""Which overlays can be looked at here."""

import manifests
import pytest


@pytest.fixture(params=manifests.OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    try:
        manifests.resources(name)
    except manifests.NoKustomize:
        pytest.skip("neither kubectl nor kustomize is installed")
    return name
