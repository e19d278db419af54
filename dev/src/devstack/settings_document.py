"""Writes docs/settings.md from the settings themselves: `python -m devstack.settings_document`."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from fix_outcomes import settings as fix_outcomes
from gateway import settings as gateway
from note_generator import settings as note_generator
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "settings.md"

MODELS: Final[Mapping[str, type[BaseSettings]]] = {
    "gateway": gateway.Settings,
    "fix-outcomes run": fix_outcomes.Settings,
    "note-generator run": note_generator.Settings,
    "fix-outcomes database apply": fix_outcomes.DatabaseSettings,
    "fix-outcomes topology apply": fix_outcomes.TopologySettings,
    "note-generator cache users": note_generator.UserFileSettings,
    "note-generator cache apply": note_generator.CacheSettings,
}
"""Which settings a command reads. `verify`, `parked` and `psa` read some of these."""

_INTRODUCTION: Final = """\
<!-- Written by `make contracts` from the services' settings. Change those, not this. -->

# Settings

A setting is an environment variable, or a file of the same name in lower case under `/run/secrets`; a variable wins. \
What may be left out may be empty. Secrets are marked: give those as files.
"""


def document() -> str:
    """The whole page."""
    return "\n".join((_INTRODUCTION, *(_section(name, model) for name, model in MODELS.items())))


def _section(name: str, model: type[BaseSettings]) -> str:
    lines = [f"## `{name}`", "", "| setting | meaning | default |", "|---|---|---|"]
    prefix = str(model.model_config["env_prefix"])
    lines += [_row(f"{prefix}{field}".upper(), about) for field, about in _sorted(model)]
    return "\n".join((*lines, ""))


def _sorted(model: type[BaseSettings]) -> Iterator[tuple[str, FieldInfo]]:
    """What must be given first, else in the order of the code."""
    fields = model.model_fields.items()
    yield from (each for each in fields if each[1].is_required())
    yield from (each for each in fields if not each[1].is_required())


def _row(name: str, field: FieldInfo) -> str:
    meaning = (field.description or "").replace("|", "\\|").replace("<", "&lt;")
    secret = " *(secret)*" if _is_secret(field.annotation) else ""
    return f"| `{name}` | {meaning}{secret} | {_default(field)} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    default = field.get_default(call_default_factory=True)
    if default is None or default == ():
        return ""
    return f"`{','.join(map(str, default)) if isinstance(default, tuple) else default}`"


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or SecretStr in getattr(annotation, "__args__", ())


def main() -> None:
    """Write the page, or with `--check` say whether it is as it would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if it would change")
    if not parser.parse_args().check:
        DOCUMENT.write_text(document())
    elif not DOCUMENT.exists() or DOCUMENT.read_text() != document():
        sys.exit(f"{DOCUMENT.name} is not up to date: `make contracts` writes it anew")


if __name__ == "__main__":
    main()
