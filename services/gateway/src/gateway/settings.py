"""What the gateway is told at its start. The only module that reads the environment."""

from pathlib import Path
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    DirectoryPath,
    Field,
    HttpUrl,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode
from shared.contracts.vocabulary import Role
from shared.settings import RedisUrl, ServiceSettings, from_environment

Algorithm = Literal["HS256", "RS256", "ES256"]


class DemoPerson(BaseModel):
    """Somebody whom everybody may sign in as, on a development stack."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID
    name: str = Field(min_length=1, max_length=200)
    role: Role
    account_id: UUID
    account: str = Field(min_length=1, max_length=200, description="The account's name, as people read it")


class Settings(ServiceSettings):
    """The gateway's settings; every name begins with `GATEWAY_`."""

    model_config = from_environment("GATEWAY_")

    redis_url: RedisUrl = Field(description="Redis, where note-generator keeps the notes")
    operation_key: SecretStr = Field(
        min_length=16, description="MAC key of operation ids; the same for all gateways"
    )

    drain_s: float = Field(
        default=0,
        ge=0,
        le=30,
        description="Of the seconds to shut down, those of serving on, not ready, until no proxy sends any more",
    )

    jwt_secret: SecretStr | None = Field(
        default=None, min_length=32, description="HS256 secret, for one machine; instead of a JWKS"
    )
    jwks_file: Path | None = Field(default=None, description="File with the JWKS that tokens are signed by")
    jwks_url: HttpUrl | None = Field(
        default=None, description="Address of the JWKS that tokens are signed by"
    )
    jwks_refresh_s: float = Field(default=300, gt=0, description="Seconds after which the JWKS is read anew")
    jwt_algorithms: Annotated[tuple[Algorithm, ...], NoDecode] = Field(
        default=("HS256", "RS256", "ES256"),
        min_length=1,
        description="Algorithms allowed, with commas; of these, only those that fit the kind of key",
    )
    jwt_issuer: str = Field(default="resolutionflow", description="`iss` that tokens must have")
    jwt_audience: str = Field(default="resolutionflow", description="`aud` that tokens must have")
    jwt_cache: int = Field(default=10_000, ge=1, description="Verified tokens remembered until they expire")

    page_dir: DirectoryPath | None = Field(
        default=None, description="Folder with the built page, served at `/`; none: the API alone"
    )
    demo_sign_in: tuple[DemoPerson, ...] = Field(
        default=(),
        description="JSON array of {id, name, role, account_id, account}: people whom anybody may sign in as, "
        "WITHOUT a password. For development stacks alone",
    )

    answer_timeout_s: float = Field(
        default=5.0, gt=0, le=60, description="Seconds until a change is 202, or a read 503"
    )
    preview_timeout_s: float = Field(default=60.0, gt=0, description="Seconds until a preview is 503")
    cache_timeout_s: float = Field(
        default=0.25, gt=0, description="Seconds to wait for Redis before doing without"
    )
    max_body_bytes: int = Field(default=262_144, ge=1_024, description="Longest body accepted")
    body_timeout_s: float = Field(default=5.0, gt=0, description="Seconds until a body must have arrived")
    waiting_room: int = Field(
        default=5_000, ge=1, description="Requests that may wait for an answer; more are 503"
    )
    rate_per_s: float = Field(default=500, gt=0, description="Requests a second that an account may keep up")
    rate_burst: float = Field(default=2_000, ge=1, description="Requests that an account may make at once")

    sse_viewers: int = Field(
        default=1_000, ge=0, description="Event streams open at the same time; more are 503"
    )
    sse_viewers_each: int = Field(
        default=250, ge=0, description="Event streams that an account may have open here; more are 429"
    )
    sse_buffer: int = Field(
        default=256, ge=1, description="Events held for a slow viewer before it must catch up"
    )
    sse_heartbeat_s: float = Field(
        default=15.0, gt=0, description="Seconds of silence before a comment is sent"
    )
    sse_send_timeout_s: float = Field(
        default=30.0, gt=0, description="Seconds until a viewer that reads nothing is let go"
    )

    @property
    def finish_s(self) -> float:
        """Of the time to shut down, what is left for finishing once no more requests come."""
        return max(self.shutdown_s - self.drain_s, 0)

    @field_validator("jwt_algorithms", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_one_kind_of_key(self) -> Self:
        given = [key for key in (self.jwt_secret, self.jwks_file, self.jwks_url) if key is not None]
        if len(given) != 1:
            raise ValueError("give one of JWT_SECRET, JWKS_FILE and JWKS_URL")
        return self

    @model_validator(mode="after")
    def _demo_tokens_can_be_signed(self) -> Self:
        if self.demo_sign_in and self.jwt_secret is None:
            raise ValueError("DEMO_SIGN_IN needs JWT_SECRET: with a JWKS this gateway only verifies tokens")
        return self
