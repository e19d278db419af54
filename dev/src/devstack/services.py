"""The three services and the commands that prepare their servers: command line, environment, readiness."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from devstack.processes import Program
from devstack.servers import Addresses
from devstack.state import State

Choice = TypeVar("Choice")
HOST = "127.0.0.1"
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "database-apply": (sys.executable, "-m", "fix_outcomes", "database", "apply"),
    "topology-apply": (sys.executable, "-m", "fix_outcomes", "topology", "apply"),
    "cache-apply": (sys.executable, "-m", "note_generator", "cache", "apply"),
    "gateway": (sys.executable, "-m", "gateway"),
    "fix-outcomes": (sys.executable, "-m", "fix_outcomes", "run"),
    "note-generator": (sys.executable, "-m", "note_generator", "run"),
}
STEPS: Mapping[str, str] = {
    "database-apply": "postgres",
    "topology-apply": "rabbitmq",
    "cache-apply": "redis",
}
"""What each server is prepared by."""
PAGE = Path(__file__).parents[3] / "frontend" / "dist"
SERVICES = ("gateway", "fix-outcomes", "note-generator")


@dataclass(frozen=True)
class Choices:
    """How one stack differs from the ordinary one. Keys are a service or one replica of it (`gateway-2`)."""

    replicas: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, count in self.replicas.items():
            if name not in SERVICES or count < 0:
                raise ValueError(f"replicas: {name}={count}; services are {', '.join(SERVICES)}")
        for key in (*self.settings, *self.commands):
            if service_of(key) not in COMMANDS:
                raise ValueError(f"{key} is none of {', '.join(COMMANDS)}")

    def changed(
        self, name: str, settings: Mapping[str, str] | None, command: Sequence[str] | None
    ) -> "Choices":
        """The same, but for this service or replica; None takes a choice back."""
        return Choices(
            self.replicas, _with(self.settings, name, settings), _with(self.commands, name, command)
        )

    def names(self) -> tuple[str, ...]:
        """Every service process: gateway, gateway-2, …"""
        return tuple(
            service if number == 1 else f"{service}-{number}"
            for service in SERVICES
            for number in range(1, self.replicas.get(service, 1) + 1)
        )

    def command(self, name: str) -> tuple[str, ...]:
        """What to run for this process."""
        service = service_of(name)
        return tuple(self.commands.get(name) or self.commands.get(service) or COMMANDS[service])

    def own_settings(self, name: str) -> dict[str, str]:
        """The settings asked for: those of the service, then those of this replica."""
        return {**self.settings.get(service_of(name), {}), **self.settings.get(name, {})}


def _with(choices: Mapping[str, Choice], name: str, choice: Choice | None) -> dict[str, Choice]:
    others = {key: value for key, value in choices.items() if key != name}
    return others if choice is None else {**others, name: choice}


def service_of(name: str) -> str:
    """The service that a process is a replica of."""
    head, _, number = name.rpartition("-")
    return head if head and number.isdigit() else name


def programs(
    state: State, at: Addresses, choices: Choices, environment: Mapping[str, str]
) -> dict[str, Program]:
    """Every service process of the stack, by name."""
    return {name: _service(name, state, at, choices, environment) for name in choices.names()}


def steps(state: State, at: Addresses, choices: Choices) -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
    """Command and environment of the one-shot commands, by name; each may be repeated at any time."""
    surroundings = {
        "database-apply": _database_step(state, at),
        "topology-apply": _topology_step(state, at),
        "cache-apply": _cache_step(state, at),
    }
    return {
        name: (choices.command(name), {**surroundings[name], **choices.own_settings(name)}) for name in STEPS
    }


def url(state: State, name: str) -> str:
    """Where this service process serves HTTP; no path."""
    return f"http://{HOST}:{state.port(name)}"


def is_ready(address: str) -> bool:
    """Whether /readyz answers 200."""
    try:
        with httpx.Client(trust_env=False, timeout=5) as client:
            return client.get(f"{address}/readyz").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def with_login(address: str, user: str, password: str) -> str:
    """The same address, as another user."""
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{place}"))


def _service(
    name: str, state: State, at: Addresses, choices: Choices, environment: Mapping[str, str]
) -> Program:
    service = service_of(name)
    prefix = service.upper().replace("-", "_")
    address = url(state, name)
    return Program(
        name=name,
        command=choices.command(name),
        environment={
            "PYTHONUNBUFFERED": "1",
            **_passed_through(service, environment),
            f"{prefix}_HOST": HOST,
            f"{prefix}_PORT": str(state.port(name)),
            f"{prefix}_REPLICA": name,
            f"{prefix}_AMQP_URL": with_login(at.amqp_url, service, state.secret(f"amqp:{service}")),
            **OWN_SETTINGS[service](state, at),
            **choices.own_settings(name),
        },
        ready=lambda: is_ready(address),
    )


def _passed_through(service: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The LLM's key and model come from whoever starts the stack."""
    own = service == "note-generator"
    return {name: value for name, value in environment.items() if own and name.startswith("NOTE_GENERATOR_")}


def _gateway(state: State, at: Addresses) -> dict[str, str]:
    return {
        "GATEWAY_REDIS_URL": with_login(at.redis_url, "gateway", state.secret("redis:gateway")),
        "GATEWAY_JWT_SECRET": state.secret("jwt"),
        "GATEWAY_OPERATION_KEY": state.secret("operations"),
        **({"GATEWAY_PAGE_DIR": str(PAGE)} if (PAGE / "index.html").exists() else {}),
    }


def _fix_outcomes(state: State, at: Addresses) -> dict[str, str]:
    runtime, relay = state.secret("database:runtime"), state.secret("database:relay")
    return {
        "FIX_OUTCOMES_DATABASE_URL": with_login(at.database_url, "fix_outcomes", runtime),
        "FIX_OUTCOMES_RELAY_DATABASE_URL": with_login(at.database_url, "fix_outcomes_relay", relay),
    }


def _note_generator(state: State, at: Addresses) -> dict[str, str]:
    password = state.secret("redis:note-generator")
    return {"NOTE_GENERATOR_REDIS_URL": with_login(at.redis_url, "note-generator", password)}


OWN_SETTINGS: Mapping[str, Callable[[State, Addresses], dict[str, str]]] = {
    "gateway": _gateway,
    "fix-outcomes": _fix_outcomes,
    "note-generator": _note_generator,
}


def _database_step(state: State, at: Addresses) -> dict[str, str]:
    return {
        "DATABASE_ADMIN_URL": at.database_url,
        "DATABASE_RUNTIME_PASSWORD": state.secret("database:runtime"),
        "DATABASE_RELAY_PASSWORD": state.secret("database:relay"),
    }


def _topology_step(state: State, at: Addresses) -> dict[str, str]:
    return {
        "TOPOLOGY_API_URL": at.rabbitmq_api_url,
        "TOPOLOGY_GATEWAY_PASSWORD": state.secret("amqp:gateway"),
        "TOPOLOGY_FIX_OUTCOMES_PASSWORD": state.secret("amqp:fix-outcomes"),
        "TOPOLOGY_NOTE_GENERATOR_PASSWORD": state.secret("amqp:note-generator"),
    }


def _cache_step(state: State, at: Addresses) -> dict[str, str]:
    return {
        "CACHE_ADMIN_URL": at.redis_url,
        "CACHE_GATEWAY_PASSWORD": state.secret("redis:gateway"),
        "CACHE_NOTE_GENERATOR_PASSWORD": state.secret("redis:note-generator"),
    }
