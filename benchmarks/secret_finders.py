"""What libraries find of the corpus of secrets, against our own patterns (docs/decisions/0013).

`.uv/*/bin/uv run --with detect-secrets==1.5.0 --with credsweeper==1.19.5 python benchmarks/secret_finders.py`
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from unit.note_generator.leaks import LEAKS

ROOT = Path(__file__).parents[1]

Remove = Callable[[str], str]
"""What is left of a text without what was found in it."""


def sentences() -> list[str]:
    """Every line of the example tickets but those with a password."""
    tickets = sorted((ROOT / "examples/tickets").glob("*.json"))
    lines = [line for path in tickets for line in _lines(json.loads(path.read_text(encoding="utf-8")))]
    return [line for line in lines if "password" not in line.lower()]


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.splitlines()
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _lines(each)


def ours() -> Remove:
    """The patterns of note-generator."""
    from note_generator.domain.secrets import Secrets

    return lambda text: Secrets.found_in([text]).removed(text)


def detect_secrets(*, entropy: bool) -> Remove:
    """Line by line, with all plugins or without those that go by entropy."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import transient_settings

    names = [each.__name__ for each in get_mapping_from_secret_type_to_class().values()]
    plugins = [{"name": name} for name in names if entropy or "Entropy" not in name]

    def remove(text: str) -> str:
        with transient_settings({"plugins_used": plugins}):
            found = [each.secret_value for line in text.splitlines() for each in scan_line(line)]
        return _without(text, found)

    return remove


def credsweeper(*, learned: bool) -> Remove:
    """The text as a file; with its learned model, or by its rules alone."""
    from credsweeper.app import CredSweeper
    from credsweeper.file_handler.string_content_provider import StringContentProvider

    sweeper = CredSweeper() if learned else CredSweeper(ml_threshold=0)

    def remove(text: str) -> str:
        sweeper.credential_manager.candidates = []
        found = sweeper.file_scan(StringContentProvider(text.splitlines(), file_path="x.txt"))
        sweeper.credential_manager.set_credentials(found)
        sweeper.post_processing(None)
        every = sweeper.credential_manager.get_credentials()
        return _without(text, [line.value for each in every for line in each.line_data_list])

    return remove


def _without(text: str, found: Iterable[str | None]) -> str:
    for value in found:
        text = text.replace(value, "") if value else text
    return text


def row(name: str, remove: Remove) -> str:
    """Secrets that are gone, harmless lines that are not whole any more, microseconds for a text."""
    began, harmless = time.perf_counter(), sentences()
    gone = sum(secret not in remove(text) for text, secret in LEAKS)
    harmed = sum(remove(line) != line for line in harmless)
    each_us = (time.perf_counter() - began) / (len(LEAKS) + len(harmless)) * 1e6
    return f"| {name} | {gone} of {len(LEAKS)} | {harmed} of {len(harmless)} | {each_us:,.0f} |"


def main() -> None:
    """Print the table."""
    print("| finder | secrets gone | harmless lines harmed | µs for a text |\n|---|---|---|---|")
    print(row("own patterns", ours()))
    print(row("detect-secrets, all plugins", detect_secrets(entropy=True)))
    print(row("detect-secrets, without entropy", detect_secrets(entropy=False)))
    print(row("CredSweeper, its rules", credsweeper(learned=False)))
    print(row("CredSweeper, with its model", credsweeper(learned=True)))


if __name__ == "__main__":
    main()
