"""Custom resources against the definitions of their operators, strictly: `python -m custom_resources CRDS FILE…`

CRDS is a folder with the CustomResourceDefinitions as YAML, of a cluster (`kubectl get crd NAME -o yaml`) or a release.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema_rs import validator_for

Resource = dict[str, Any]
Schemas = dict[tuple[str, str], Resource]


def schemas(folder: Path) -> Schemas:
    """By apiVersion and kind, what a definition in the folder admits."""
    found: Schemas = {}
    for file in folder.glob("*.y*ml"):
        for each in (each for each in yaml.safe_load_all(file.read_text()) if each):
            for definition in each.get("items", [each]):
                group, kind = definition["spec"]["group"], definition["spec"]["names"]["kind"]
                for version in definition["spec"]["versions"]:
                    schema = version["schema"]["openAPIV3Schema"]
                    found[f"{group}/{version['name']}", kind] = _strict(schema)
    return found


def _strict(schema: Any) -> Any:
    """The schema without leave for fields that it does not name."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(value) for key, value in schema.items()}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if named and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made


def complaints(known: Schemas, file: Path) -> Iterator[str]:
    """What does not fit in a file of resources. Those of groups without a point are Kubernetes' own."""
    for each in (each for each in yaml.safe_load_all(file.read_text()) if each):
        group = each["apiVersion"].partition("/")[0]
        if "." not in group or group.endswith(".k8s.io"):
            continue
        name = f"{each['kind']}/{each['metadata']['name']}"
        schema = known.get((each["apiVersion"], each["kind"]))
        if schema is None:
            yield f"{name}: no definition of {each['kind']} {each['apiVersion']}"
            continue
        for error in validator_for(schema).iter_errors(each):
            yield f"{name}: {'.'.join(map(str, error.instance_path))}: {error.message[:300]}"


def main() -> int:
    """Exit code 1 where something does not fit."""
    folder, *files = map(Path, sys.argv[1:])
    known = schemas(folder)
    found = [each for file in files for each in complaints(known, file)]
    for each in found:
        print(each)  # noqa: T201
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
