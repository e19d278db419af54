"""A private Postgres from the installed binaries; it refuses root, so as root it runs as its own user."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from signal import SIGINT

from devstack.binaries import postgres_folder
from devstack.database import answers, with_path
from devstack.processes import Program, StartFailedError, passed_on
from devstack.state import State, write_private

DATABASE = "resolutionflow"
ACCOUNT = "postgres"
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  mkdtemp makes a private folder there
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "log_min_messages": "warning",
}
# Safe against a killed server, though not against a machine that loses power.
QUICK = {"fsync": "off", "full_page_writes": "off"}


def url(state: State) -> str:
    """The superuser's URL of the stack's database."""
    return f"postgresql://postgres:{state.secret('postgres')}@127.0.0.1:{state.port('postgres')}/{DATABASE}"


def program(state: State, *, durable: bool) -> Program:
    """The server on its own port and data; `durable=False` trades fsync for speed."""
    data = _data_folder(state)
    options = {"port": str(state.port("postgres")), **OPTIONS, **({} if durable else QUICK)}
    flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
    any_database = with_path(url(state), "/postgres")
    return Program(
        name="postgres",
        command=(*_as_account(), str(postgres_folder() / "postgres"), "-D", str(data), *flags),
        environment={},
        ready=lambda: answers(any_database),
        prepare=lambda: _initialise(data, state),
        stop_signal=SIGINT,
        # Backends of a killed postmaster need a moment to notice; until then they hold the shared memory.
        try_again_after="pre-existing shared memory block",
    )


def _initialise(data: Path, state: State) -> None:
    if (data / "PG_VERSION").exists():
        return
    password_file = data.parent / "password"
    shutil.rmtree(data, ignore_errors=True)
    data.parent.mkdir(parents=True, exist_ok=True)
    write_private(password_file, state.secret("postgres") + "\n")
    if os.geteuid() == 0:
        for path in (data.parent, password_file):
            shutil.chown(path, ACCOUNT, ACCOUNT)
    command = [*_as_account(), str(postgres_folder() / "initdb"), "-D", str(data), "-U", "postgres"]
    command += ["-A", "scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(command, env=passed_on(), cwd="/", capture_output=True, text=True, check=False)
    password_file.unlink()
    if done.returncode:
        raise StartFailedError(f"initdb failed\n{done.stdout}{done.stderr}")


def _data_folder(state: State) -> Path:
    if "postgres" not in state.folders:
        beside = state.folder / "postgres"
        reachable = os.geteuid() != 0 or _searchable(state.folder.resolve())
        state.keep_folder("postgres", beside if reachable else _folder_elsewhere())
    return Path(state.folders["postgres"]) / "data"


def _folder_elsewhere() -> Path:
    roots = (Path(tempfile.gettempdir()), *TEMPORARY)
    root = next((root for root in roots if _searchable(root)), None)
    if root is None:
        raise StartFailedError(f"no temporary folder that the user {ACCOUNT} may enter; set TMPDIR to one")
    return Path(tempfile.mkdtemp(prefix="devstack-postgres-", dir=root))


def _searchable(folder: Path) -> bool:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return all(path.stat().st_mode & 0o001 for path in (nearest, *nearest.parents))


def _as_account() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    account = pwd.getpwnam(ACCOUNT)
    return ("setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--")
