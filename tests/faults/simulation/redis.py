"""A Redis in memory: the product's own Lua scripts run on it, and the few commands that its caches use besides."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from lupa import LuaRuntime  # type: ignore[import-untyped]
from redis.exceptions import ConnectionError as RedisConnectionError
from shared.contracts.cache import VERSION_FIELD

from faults.simulation.network import Network
from faults.stored import PREFIX, Stored

Value = str | dict[str, str]
Script = Callable[..., Awaitable[Any]]


class _Door:
    """What scripts call. It leads to a server only while its script runs: Lua lets go of nothing for a long time."""

    server: "Redis | None" = None

    def call(self, command: str, *arguments: Any) -> Any:
        """A command: what is not there is False."""
        return _COMMANDS[command](self.server, *arguments)


_DOOR: Final = _Door()
_LUA: Final = LuaRuntime(unpack_returned_tuples=False)
_LUA.globals().redis = _LUA.table_from({"call": _DOOR.call})


class Redis:
    """The server: keys that may expire. It forgets everything when it dies."""

    def __init__(self, network: Network, now: Callable[[], float]) -> None:
        self._network, self._now = network, now
        self._values: dict[str, Value] = {}
        self._ends: dict[str, float] = {}
        self.stored: list[Stored] = []
        self.up = True

    def from_pool(self, _pool: object) -> "Client":
        """A client: stands in for `redis.asyncio.Redis` where the product connects."""
        return Client(self)

    def crash(self) -> None:
        """Be away, until `up` again; nothing stays."""
        self.up = False
        for key in list(self._values):
            self.delete(key)

    async def hop(self) -> None:
        """To the server or back. Raises redis' ConnectionError where it is away."""
        await self._network.hop()
        if not self.up:
            raise RedisConnectionError("redis is away")

    def there(self, prefix: str) -> Sequence[str]:
        """Every key that begins so and has not expired."""
        return [key for key in list(self._values) if key.startswith(prefix) and self._value(key) is not None]

    def run(self, script: str, keys: Sequence[str], arguments: Sequence[str]) -> Any:
        """What a Lua script gives."""
        _DOOR.server = self
        try:
            result = _compiled(script)(_LUA.table_from(keys), _LUA.table_from(arguments))
        finally:
            _DOOR.server = None
        return list(result.values()) if hasattr(result, "values") else result

    def get(self, key: str) -> str | bool:
        value = self._value(key)
        return value if isinstance(value, str) else False

    def set(self, key: str, value: object, *expiry: object) -> str:
        self._values[key] = str(value)
        self._ends.pop(key, None)
        if expiry:
            self.pexpire(key, expiry[1])
        return "OK"

    def incr(self, key: str) -> int:
        number = int(self.get(key) or 0) + 1
        self._values[key] = str(number)
        return number

    def exists(self, key: str) -> int:
        return int(self._value(key) is not None)

    def delete(self, key: str) -> int:
        if key.startswith(PREFIX):
            self.stored.append(Stored(key, 0))
        self._ends.pop(key, None)
        return int(self._values.pop(key, None) is not None)

    def pexpire(self, key: str, milliseconds: Any) -> int:
        if self._value(key) is None:
            return 0
        self._ends[key] = self._now() + float(milliseconds) / 1_000
        return 1

    def hget(self, key: str, field: str) -> str | bool:
        return self._hash(key).get(field, False)

    def hmget(self, key: str, *fields: str) -> Any:
        return _LUA.table_from([self.hget(key, field) for field in fields])

    def hset(self, key: str, *pairs: object) -> int:
        if pairs[0] == VERSION_FIELD:
            self.stored.append(Stored(key, int(str(pairs[1]))))
        there = self._hash(key)
        self._values[key] = {**there, **dict(zip(map(str, pairs[::2]), map(str, pairs[1::2]), strict=True))}
        return 1

    def hdel(self, key: str, field: str) -> int:
        return int(self._hash(key).pop(field, None) is not None)

    def _hash(self, key: str) -> dict[str, str]:
        value = self._value(key)
        return value if isinstance(value, dict) else {}

    def _value(self, key: str) -> Value | None:
        if self._ends.get(key, self._now()) < self._now():
            self.delete(key)
        return self._values.get(key)


class Client:
    """What the caches hold."""

    def __init__(self, server: Redis) -> None:
        self._server = server

    def register_script(self, text: str) -> Script:
        """The script, to be called."""

        async def run(*, keys: Sequence[str], args: Sequence[object]) -> Any:
            await self._server.hop()
            result = self._server.run(text, keys, [str(each) for each in args])
            await self._server.hop()
            return result

        return run

    async def hmget(self, key: str, fields: Sequence[str]) -> list[str | None]:
        """Fields of a hash."""
        await self._server.hop()
        return [self._server.hget(key, field) or None for field in fields]  # type: ignore[misc]

    async def exists(self, key: str) -> int:
        """Whether it is there."""
        await self._server.hop()
        return self._server.exists(key)

    async def delete(self, key: str) -> int:
        """Gone."""
        await self._server.hop()
        return self._server.delete(key)

    async def set(self, key: str, value: str, *, ex: int) -> None:
        """A text for so many seconds."""
        await self._server.hop()
        self._server.set(key, value, "PX", ex * 1_000)


@cache
def _compiled(text: str) -> Callable[..., Any]:
    return _LUA.eval(f"function(KEYS, ARGV) {text} end")  # type: ignore[no-any-return]


_COMMANDS: Final[Mapping[str, Callable[..., Any]]] = {
    "GET": Redis.get,
    "SET": Redis.set,
    "INCR": Redis.incr,
    "EXISTS": Redis.exists,
    "DEL": Redis.delete,
    "PEXPIRE": Redis.pexpire,
    "HGET": Redis.hget,
    "HMGET": Redis.hmget,
    "HSET": Redis.hset,
    "HDEL": Redis.hdel,
}
