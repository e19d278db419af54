"""Shows log files side by side, each line with the name of the process that wrote it."""

import time
from collections.abc import Sequence
from pathlib import Path

LOOK_EVERY_SECONDS = 0.2


def show(files: Sequence[Path], lines: int) -> None:
    """The last lines of each file."""
    for file in files:
        _print(file, "\n".join(_read(file, 0).splitlines()[-lines:] if lines else ()))


def follow(files: Sequence[Path], lines: int) -> None:
    """The last lines of each file, then whatever is added, until interrupted."""
    read_up_to = {file: file.stat().st_size for file in files}
    show(files, lines)
    try:
        while True:
            for file in files:
                text = _read(file, read_up_to[file])
                whole = text[: text.rfind("\n") + 1]
                read_up_to[file] += len(whole.encode(errors="surrogateescape"))
                _print(file, whole)
            time.sleep(LOOK_EVERY_SECONDS)
    except KeyboardInterrupt:
        return


def _read(file: Path, start: int) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as log:
        log.seek(start)
        return log.read().decode(errors="surrogateescape")


def _print(file: Path, text: str) -> None:
    for line in text.splitlines():
        print(f"{file.stem:>16} | {line.encode(errors='replace').decode()}", flush=True)
