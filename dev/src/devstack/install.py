"""Installs the servers that are missing, where that can be done without a question; else says how."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from devstack import binaries
from devstack.binaries import NotInstalledError
from devstack.procfs import PROC

PACKAGES: Mapping[str, tuple[str, Callable[[], Path]]] = {
    "postgresql": ("RF_DATABASE_URL", binaries.postgres_folder),
    "rabbitmq-server": ("RF_AMQP_URL", binaries.rabbitmq_folder),
    "redis-server": ("RF_REDIS_URL", binaries.redis_server),
}
INSTALL = ("apt-get", "-o", "DPkg::Lock::Timeout=300", "install", "-y", "--no-install-recommends")
START_POLICY = Path("/usr/sbin/policy-rc.d")


def ensure_installed(given: Mapping[str, str], report: Callable[[str], None] = lambda _: None) -> None:
    """Have the programs of every server for which no URL is given.

    Raises NotInstalledError with the command to run, where we may not install them ourselves.
    """
    if not PROC.exists():
        raise NotInstalledError("devstack needs Linux; elsewhere use docker compose")
    packages = missing(given)
    if not packages:
        return
    if not _may_install():
        raise NotInstalledError(_advice(packages))
    install_packages(packages, report)
    if still := missing(given):
        raise NotInstalledError(
            f"apt-get installed {', '.join(still)}, but their programs are not to be found"
        )


def install_packages(packages: Sequence[str], report: Callable[[str], None]) -> None:
    """Install Debian packages; raises NotInstalledError where we may not, or where it failed."""
    if not _may_install():
        raise NotInstalledError(f"not root on Debian or Ubuntu: install {', '.join(packages)} yourself")
    report(f"installing {', '.join(packages)} (this takes a minute, once)")
    with _nothing_started():
        _apt_get("apt-get", "update", "-qq")
        _apt_get(*INSTALL, *packages)


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def missing(given: Mapping[str, str]) -> tuple[str, ...]:
    """The Debian packages whose programs are needed and absent."""
    return tuple(
        package
        for package, (variable, find) in PACKAGES.items()
        if variable not in given and not _found(find)
    )


def _found(find: Callable[[], Path]) -> bool:
    try:
        find()
    except NotInstalledError:
        return False
    return True


def _advice(packages: tuple[str, ...]) -> str:
    return (
        f"these servers are not installed: {', '.join(packages)}. On Debian or Ubuntu run\n"
        f"  sudo apt-get update && sudo apt-get install -y --no-install-recommends {' '.join(packages)}\n"
        "or name servers of your own in RF_DATABASE_URL, RF_AMQP_URL with RF_RABBITMQ_API_URL, and RF_REDIS_URL."
    )


@contextmanager
def _nothing_started() -> Iterator[None]:
    """Keep Debian from starting what it installs, unless this machine has a policy for that already."""
    if START_POLICY.exists():
        yield
        return
    START_POLICY.write_text("#!/bin/sh\nexit 101\n")
    START_POLICY.chmod(0o755)
    try:
        yield
    finally:
        START_POLICY.unlink(missing_ok=True)


def _apt_get(*command: str) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotInstalledError(f"`{' '.join(command)}` failed:\n{(done.stdout + done.stderr)[-2_000:]}")
