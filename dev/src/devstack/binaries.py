"""Where the installed servers are: Debian keeps Postgres and RabbitMQ in folders of their version."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path


class NotInstalledError(Exception):
    """A server's programs are not on this machine."""


def postgres_folder() -> Path:
    """The folder with initdb and postgres of the newest installed version, 15 or later."""
    return _folder("postgres", _versions(Path("/usr/lib/postgresql"), "*/bin", at_least=15), ("initdb",))


def rabbitmq_folder() -> Path:
    """The sbin folder of the newest installed version; those in /usr/sbin are wrappers that change user."""
    return _folder("rabbitmq-server", _versions(Path("/usr/lib/rabbitmq/lib"), "*/sbin"), ("rabbitmq-env",))


def redis_server() -> Path:
    """The redis-server program."""
    return _folder("redis-server", (), ()) / "redis-server"


def epmd() -> Path:
    """Erlang's port mapper, which RabbitMQ cannot do without."""
    found = shutil.which("epmd") or next(map(str, Path("/usr/lib/erlang").glob("erts-*/bin/epmd")), None)
    if found is None:
        raise NotInstalledError("epmd (Erlang)")
    return Path(found)


def _folder(program: str, candidates: Iterable[Path], beside: tuple[str, ...]) -> Path:
    on_path = shutil.which(program)
    for folder in (*candidates, *([Path(on_path).resolve().parent] if on_path else [])):
        if all((folder / name).exists() for name in (program, *beside)):
            return folder
    raise NotInstalledError(program)


def _versions(root: Path, pattern: str, *, at_least: int = 0) -> list[Path]:
    found = {folder: _version(folder.parent.name) for folder in root.glob(pattern)}
    return sorted((f for f, v in found.items() if v >= [at_least]), key=lambda f: found[f], reverse=True)


def _version(name: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", name)]
