"""Who calls: a verified JWT, or 401."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

import jwt
from pydantic import BaseModel, StringConstraints, ValidationError
from shared.contracts.problems import ProblemCode
from shared.contracts.text import Storable
from shared.contracts.views import Actor
from shared.contracts.vocabulary import Role

from gateway.keys import Jwks, Keys, SharedSecret, from_file, from_url
from gateway.problems import Problem
from gateway.settings import Settings

_REQUIRED: Final = ("exp", "iss", "aud", "sub", "account_id", "role")
_LONGEST_TOKEN: Final = 8_192


@dataclass(frozen=True, slots=True)
class Caller:
    """The bearer of a verified token; `expires` is its end in seconds since 1970."""

    account_id: UUID
    actor: Actor
    expires: float


class _Claims(BaseModel):
    sub: UUID
    account_id: UUID
    role: Role
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Storable] | None = None
    exp: float


class Verifier:
    """Verifies tokens, and remembers those it has verified, by hash, until they expire."""

    def __init__(
        self,
        *,
        keys: Keys,
        algorithms: Sequence[str],
        issuer: str,
        audience: str,
        remembered: int,
        now: Callable[[], float],
    ) -> None:
        self._keys, self._algorithms = keys, frozenset(algorithms)
        self._issuer, self._audience = issuer, audience
        self._now, self._remembered = now, remembered
        self._callers: OrderedDict[bytes, Caller] = OrderedDict()

    @classmethod
    def of(cls, settings: Settings, *, now: Callable[[], float]) -> "Verifier":
        """The verifier that these settings describe."""
        return cls(
            keys=_keys(settings),
            algorithms=settings.jwt_algorithms,
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            remembered=settings.jwt_cache,
            now=now,
        )

    async def caller(self, authorization: bytes | None) -> Caller:
        """Who the `Authorization` header says is calling. Raises a 401 problem where it proves nobody."""
        scheme, _, token = (authorization or b"").partition(b" ")
        token = token.strip()
        if scheme.lower() != b"bearer" or not token or len(token) > _LONGEST_TOKEN:
            raise _refused("Send a token as `Authorization: Bearer <token>`", "Bearer")
        fingerprint = hashlib.sha256(token).digest()
        caller = self._callers.get(fingerprint)
        if caller is None:
            caller = await self._verified(token)
            self._remember(fingerprint, caller)
        if caller.expires <= self._now():
            self._callers.pop(fingerprint, None)
            raise _refused("The token has expired")
        return caller

    def _remember(self, fingerprint: bytes, caller: Caller) -> None:
        self._callers[fingerprint] = caller
        if len(self._callers) > self._remembered:
            self._callers.popitem(last=False)

    async def _verified(self, token: bytes) -> Caller:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            found = await self._keys.find(kid)
            if found is None or found[1] not in self._algorithms:
                raise _refused("The token is signed with a key that is not known here")
            key, algorithm = found
            payload = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                options={"require": list(_REQUIRED)},
            )
            claims = _Claims.model_validate(payload)
        except jwt.ExpiredSignatureError as error:
            raise _refused("The token has expired") from error
        except (jwt.PyJWTError, ValidationError, ValueError, OverflowError) as error:
            raise _refused("The token is not valid") from error
        actor = Actor(id=claims.sub, name=claims.name or None, role=claims.role)
        return Caller(claims.account_id, actor, claims.exp)


def _keys(settings: Settings) -> Keys:
    if settings.jwt_secret is not None:
        return SharedSecret(settings.jwt_secret.get_secret_value())
    read = from_file(settings.jwks_file) if settings.jwks_file else from_url(str(settings.jwks_url))
    return Jwks(read, refresh_s=settings.jwks_refresh_s)


def _refused(detail: str, challenge: str = 'Bearer error="invalid_token"') -> Problem:
    return Problem(ProblemCode.UNAUTHENTICATED, detail, headers={"WWW-Authenticate": challenge})
