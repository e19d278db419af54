"""A gateway without a broker: couriers that answer from a script, and tokens of every kind."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import UUID

import httpx
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from gateway.app import create_app
from gateway.cache import NoteCache
from gateway.courier import COMMANDS, PREVIEWS, QUERIES, Couriers
from gateway.settings import Settings
from jwt.algorithms import RSAAlgorithm
from shared.contracts.answers import Answer
from shared.contracts.commands import Command
from shared.contracts.queries import Query
from shared.contracts.views import Note, NoteSoFar
from shared.contracts.vocabulary import Generator, NoteKind, Service
from shared.courier import Courier, Destination

SECRET = "a secret of at least thirty-two bytes"
ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000a")
OTHER_ACCOUNT = UUID("0192f000-0000-7000-8000-00000000000b")
USER = UUID("0192f000-0000-7000-8000-00000000000e")
SESSION = UUID("0192f000-0000-7000-8000-000000000001")
FIX = UUID("0192f000-0000-7000-8000-000000000002")
OUTCOME = f"/api/v1/ai-sessions/{SESSION}/suggested-fixes/{FIX}/outcome"

Request = TypeVar("Request", bound=Command | Query)


async def at_once() -> None:
    """Nothing is waited for."""


class ScriptedCourier(Courier[Request], Generic[Request]):
    """Remembers what it was asked, and gives the answer that the test has set."""

    def __init__(self, destination: Destination[Request]) -> None:
        super().__init__(
            url="amqp://nowhere", service=Service.GATEWAY, replica="test", destination=destination
        )
        self.asked: list[Request] = []
        self.timeouts: list[float] = []
        self.until_confirmed: list[bool] = []
        self.answer: Callable[[Request], Answer] = lambda request: answer(request.ref)
        self.before_answering: Callable[[], Awaitable[object]] = at_once

    async def ask(
        self, make: Callable[[int], Request], *, timeout_s: float, until_confirmed: bool = False
    ) -> Answer:
        request = make(len(self.asked) + 1)
        self.asked.append(request)
        self.timeouts.append(timeout_s)
        self.until_confirmed.append(until_confirmed)
        await self.before_answering()
        return self.answer(request)


class MemoryCache(NoteCache):
    """Notes in a dictionary."""

    def __init__(self) -> None:
        self.held: dict[NoteKind, Note] = {}
        self.watched: list[UUID] = []
        self.lookups: Counter[str] = Counter()
        self.drafts: list[NoteSoFar] = []
        self.drafts_seen = asyncio.Event()

    async def so_far(self, **_: Any) -> NoteSoFar | None:
        if len(self.drafts) <= 1:
            self.drafts_seen.set()
        return self.drafts.pop(0) if self.drafts else None

    async def note(
        self, *, account_id: UUID, session_id: UUID, kind: NoteKind, state_version: int
    ) -> Note | None:
        note = self.held.get(kind)
        return note if note and note.state_version == state_version else None

    async def show_interest(self, *, account_id: UUID, session_id: UUID) -> None:
        self.watched.append(session_id)

    async def versions(self, *, account_id: UUID, session_id: UUID) -> dict[NoteKind, int]:
        return {kind: note.state_version for kind, note in self.held.items()}


class Bench:
    """One app with its doubles."""

    def __init__(self, **changed: Any) -> None:
        self.commands = ScriptedCourier(COMMANDS)
        self.queries = ScriptedCourier(QUERIES)
        self.previews = ScriptedCourier(PREVIEWS)
        self.previews.answer = lambda query: Answer(ref=query.ref, status=200, body=written())
        self.notes = MemoryCache()
        self.app: FastAPI = create_app(
            settings(**changed),
            couriers=Couriers(self.commands, self.queries, self.previews),
            notes=self.notes,
        )

    async def send(
        self, method: str, path: str, *, token: str | None = None, role: str = "engineer", **request: Any
    ) -> httpx.Response:
        """One request, by default with a good token."""
        headers = httpx.Headers(request.pop("headers", {}))
        token = signed(role=role) if token is None else token
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            return await client.request(method, path, headers=headers, **request)


def settings(**changed: Any) -> Settings:
    given: dict[str, Any] = {
        "port": 1,
        "amqp_url": "amqp://nowhere",
        "redis_url": "redis://nowhere",
        "operation_key": "a key for operation ids",
        "jwt_secret": SECRET,
    }
    return Settings(**(given | changed))


def answer(ref: int, status: int = 200, *, replayed: bool = False, **body: Any) -> Answer:
    return Answer(ref=ref, status=status, body={"id": str(FIX), "state_version": 8} | body, replayed=replayed)


def written(*, kind: NoteKind = NoteKind.RESOLUTION_NOTE, state_version: int = 8) -> dict[str, Any]:
    """A note as note-generator answers it."""
    return Note(
        session_id=SESSION,
        kind=kind,
        state_version=state_version,
        markdown="## Problem",
        generator=Generator.TEMPLATE,
        generated_at=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
    ).model_dump(mode="json")


def claims(**changed: Any) -> dict[str, Any]:
    given = {
        "sub": str(USER),
        "account_id": str(ACCOUNT),
        "role": "engineer",
        "name": "Sam Okafor",
        "iss": "resolutionflow",
        "aud": "resolutionflow",
        "exp": time.time() + 600,
    }
    return {name: value for name, value in (given | changed).items() if value is not None}


def signed(**changed: Any) -> str:
    return jwt.encode(claims(**changed), SECRET, "HS256")


class KeyPair:
    """An RSA key, and the files and tokens that an identity provider would make with it."""

    def __init__(self) -> None:
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwks(self, folder: Path, *, kid: str = "first") -> Path:
        entry = json.loads(RSAAlgorithm.to_jwk(self._private.public_key()))
        path = folder / "jwks.json"
        path.write_text(json.dumps({"keys": [entry | {"kid": kid, "use": "sig"}]}))
        return path

    def signed(self, *, kid: str | None = "first", **changed: Any) -> str:
        return jwt.encode(
            claims(**changed), self._private, "RS256", headers={"kid": kid} if kid is not None else None
        )

    def signed_with_the_public_key(self) -> str:
        """HS256, with the text of the public key as the secret: what a careless verifier accepts."""
        public = self._private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return by_hand({"alg": "HS256", "kid": "first"}, claims(), public)


def by_hand(header: dict[str, Any], payload: dict[str, Any], key: bytes | None) -> str:
    """A token that no library would make."""
    content = f"{_part(header)}.{_part(payload)}"
    mac = b"" if key is None else hmac.digest(key, content.encode(), hashlib.sha256)
    return f"{content}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
