"""A good ticket, and files with it as it is or changed."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Json = dict[str, Any]

GOOD: Json = {
    "title": "Printer offline",
    "ticket": {"system": "halopsa", "id": "1"},
    "engineer": "Sam",
    "intake": ["first line", "second line"],
    "steps": [
        {"say": {"as": "client", "text": "it prints again"}},
        {"suggest": {"name": "port", "title": "Port", "description": "Correct it", "confidence_pct": 80}},
        {"propose": {"fix": "port", "outcome": "success", "reason": "said so", "evidence": ["prints again"]}},
        {"apply": "port"},
        {"record": {"fix": "port", "outcome": "applied_pending", "notes": "until tonight"}},
        {
            "race": [
                {"record": {"fix": "port", "outcome": "applied_success"}, "by": "Sam"},
                {"record": {"fix": "port", "outcome": "applied_failed"}, "by": "Priya"},
            ]
        },
        {"later": "next day"},
        {"resolve": {}},
    ],
    "ends_as": {"session": "resolved", "fixes": {"port": "applied_success"}},
}


def changed(change: Callable[[Json], object]) -> str:
    ticket = copy.deepcopy(GOOD)
    change(ticket)
    return json.dumps(ticket)


def written(folder: Path, text: str, name: str = "printer.json") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file
