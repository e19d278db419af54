"""Contracts are data: whoever reads them needs no broker, no database and no web framework."""

import ast
import sys
from pathlib import Path

import pytest
import shared.contracts

ALLOWED = {*sys.stdlib_module_names, "pydantic", "pydantic_core"}
MODULES = sorted(Path(shared.contracts.__file__ or "").parent.glob("**/*.py"))


def imported(module: Path) -> set[str]:
    """What a module names in its imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, module
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_contracts_import_the_standard_library_pydantic_and_each_other(module: Path) -> None:
    others = {name for name in imported(module) if not (name + ".").startswith("shared.contracts.")}
    assert {name.partition(".")[0] for name in others} <= ALLOWED
