"""The page's own tests of its parts, run by vitest: the derivation of the banner, row by row."""

import subprocess

import pytest
from devstack.services import PAGE


def test_the_parts_of_the_page_pass_their_own_tests() -> None:
    frontend = PAGE.parent
    if not (frontend / "node_modules" / "vitest").exists():
        pytest.skip("the page's tools are not installed (`make page`)")
    done = subprocess.run(
        ["npm", "--prefix", str(frontend), "test"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
