"""What every service is told at its start, by environment variables or by files under /run/secrets."""

from pathlib import Path
from typing import Any

from pydantic import Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_SECRETS = Path("/run/secrets")


def from_environment(prefix: str) -> SettingsConfigDict:
    """Settings whose variables begin with `prefix`; a file of the same name under /run/secrets serves too."""
    return SettingsConfigDict(
        env_prefix=prefix,
        secrets_dir=_SECRETS if _SECRETS.is_dir() else None,
        extra="ignore",
        frozen=True,
    )


class ServiceSettings(BaseSettings):
    """The settings that all three services have."""

    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(description="HTTP port: health, readiness, metrics and, for the gateway, the API")
    replica: str = Field(
        default="1",
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="This replica's name, unique in its service",
    )
    amqp_url: SecretStr = Field(description="RabbitMQ, as this service's own user")
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="Least severe log"
    )
    shutdown_s: float = Field(default=8.0, gt=0, le=60, description="Seconds to finish what was accepted")
    traces_url: HttpUrl | None = Field(
        default=None,
        description="Where OpenTelemetry traces are sent: OTLP over HTTP, http://…/v1/traces; none: no traces",
    )
    traces_ratio: float = Field(
        default=1.0, ge=0, le=1, description="Share of the requests that are traced, chosen by the gateway"
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_none(cls, values: dict[str, Any]) -> dict[str, Any]:
        """What may be left out may be empty instead: containers are given empty variables and files."""
        optional = {name for name, field in cls.model_fields.items() if field.default is None}
        return {name: value for name, value in values.items() if value != "" or name not in optional}
