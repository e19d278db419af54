"""What a stack must remember between two commands: its secrets, its ports and which processes are its own."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any, Self

from devstack.ports import free_port, is_free
from devstack.procfs import Identity


@dataclass(frozen=True)
class Running:
    """A started process, the fingerprint of what it was started with, and how it wants to be stopped."""

    identity: Identity
    fingerprint: str
    stop_signal: int
    patience_at_end: float


@dataclass
class State:
    """The contents of `<run folder>/state.json`, mode 0600, written at every change."""

    folder: Path
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    secrets: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Running] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock, repr=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The state kept under this run folder, or a new one."""
        path = folder / "state.json"
        if not path.exists():
            return cls(folder)
        kept: dict[str, Any] = json.loads(path.read_text())
        processes = {
            name: Running(**{**entry, "identity": Identity(**entry["identity"])})
            for name, entry in kept.pop("processes").items()
        }
        return cls(folder, processes=processes, **kept)

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self.folder / "state.json"

    @property
    def logs(self) -> Path:
        """The folder of the logs; it stays when everything else goes."""
        return self.folder / "logs"

    def log(self, name: str) -> Path:
        """Where the process of this name writes."""
        return self.logs / f"{name}.log"

    def secret(self, name: str) -> str:
        """The secret of this name, made at first use; safe inside a URL."""
        with self._lock:
            if name not in self.secrets:
                self.secrets[name] = secrets.token_hex(24)
                self.save()
            return self.secrets[name]

    def port(self, name: str) -> int:
        """The port of this name: chosen at first use, and kept."""
        with self._lock:
            if name not in self.ports:
                self.ports[name] = free_port(taken=frozenset(self.ports.values()))
                self.save()
            return self.ports[name]

    def release_lost_ports(self) -> None:
        """Forget ports that somebody else took while their owner did not run.

        The owner of the port `rabbitmq:api` is the process `rabbitmq`.
        """
        with self._lock:
            for name, port in list(self.ports.items()):
                if not self.alive(name.partition(":")[0]) and not is_free(port):
                    del self.ports[name]
            self.save()

    def alive(self, name: str) -> bool:
        """Whether the recorded process of this name still runs."""
        running = self.processes.get(name)
        return running is not None and running.identity.alive()

    def record(self, name: str, running: Running) -> None:
        """Remember a process that was just started."""
        with self._lock:
            self.processes[name] = running
            self.save()

    def forget(self, name: str) -> None:
        """A process was ended on purpose."""
        with self._lock:
            if self.processes.pop(name, None):
                self.save()

    def keep_folder(self, name: str, folder: Path) -> None:
        """Remember a folder outside of the run folder, so that it is removed with it."""
        with self._lock:
            self.folders[name] = str(folder)
            self.save()

    def save(self) -> None:
        """Replace the file as a whole: a reader sees the old state or the new one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = {
            "id": self.id,
            "secrets": self.secrets,
            "ports": self.ports,
            "folders": self.folders,
            "processes": {name: asdict(running) for name, running in self.processes.items()},
        }
        write_private(self.path, json.dumps(kept, indent=2) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    draft.replace(path)
