"""Finds Chromium for the tests of the page, or installs it where that can be done without a question."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from devstack.binaries import NotInstalledError
from devstack.install import install_packages

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> Path | None:
    """Chromium, as CHROMIUM names it or as it is installed."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def ensure_browser(report: Callable[[str], None]) -> None:
    """Have it, if that is possible; without it the tests of the page say so and are left out."""
    if find_browser():
        return
    try:
        install_packages(("chromium",), report)
    except NotInstalledError as error:
        report(f"no Chromium, so the tests of the page are left out ({error})")
