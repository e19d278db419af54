"""`stack.env`: what other programs (tests, benchmarks, checkers) read to find a running stack."""

from pathlib import Path

from devstack.stack import Stack
from devstack.state import write_private


def variables(stack: Stack) -> dict[str, str]:
    """The RF_* variables of a running stack; URLs are an administrator's."""
    servers = stack.servers
    return {
        "RF_GATEWAY_URL": stack.url("gateway"),
        "RF_AMQP_URL": servers.amqp_url,
        "RF_RABBITMQ_API_URL": servers.rabbitmq_api_url,
        "RF_DATABASE_URL": servers.database_url,
        "RF_REDIS_URL": servers.redis_url,
        "RF_JWT_SECRET": stack.jwt_secret,
        "RF_PIDS": ",".join(f"{name}={pid}" for name, pid in stack.pids().items()),
    }


def write(stack: Stack) -> Path:
    """Write it into the run folder, readable by its owner only."""
    path = stack.folder / "stack.env"
    write_private(path, "".join(f"{name}={value}\n" for name, value in variables(stack).items()))
    return path


def read(path: Path) -> dict[str, str]:
    """The variables of a `stack.env`."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if line)
