"""What every service is told at its start, by environment variables or by files under /run/secrets."""

from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

_SECRETS = Path("/run/secrets")

Kind = TypeVar("Kind", bound=BaseSettings)


def _address(*schemes: str) -> AfterValidator:
    def check(url: SecretStr) -> SecretStr:
        scheme, _, rest = url.get_secret_value().partition("://")
        if scheme not in schemes or not rest:
            raise ValueError(f"is no address that begins with {schemes[0]}://")
        return url

    return AfterValidator(check)


AmqpUrl = Annotated[SecretStr, _address("amqp", "amqps")]
HttpAddress = Annotated[SecretStr, _address("http", "https")]
PostgresUrl = Annotated[SecretStr, _address("postgresql", "postgres")]
RedisUrl = Annotated[SecretStr, _address("redis", "rediss", "unix")]


def from_environment(prefix: str) -> SettingsConfigDict:
    """Settings whose variables begin with `prefix`; a file of the same name under /run/secrets serves too."""
    return SettingsConfigDict(
        env_prefix=prefix,
        secrets_dir=_SECRETS if _SECRETS.is_dir() else None,
        extra="ignore",
        frozen=True,
    )


def read(kind: type[Kind]) -> Kind:
    """These settings. Where they are wrong the process ends, saying which, and no values: they may be secrets."""
    try:
        return kind()
    except ValidationError as error:
        wrong = [_told(kind, each) for each in error.errors(include_input=False, include_url=False)]
    except SettingsError as error:
        wrong = [str(error)]
    raise SystemExit("\n  ".join(["settings are missing or wrong (docs/settings.md lists all):", *wrong]))


def _told(kind: type[BaseSettings], error: ErrorDetails) -> str:
    reason = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return reason
    field = str(error["loc"][0])
    if error["type"] == "missing":
        reason = f"is missing: {kind.model_fields[field].description}"
    return f"{kind.model_config['env_prefix']}{field.upper()} {reason}"


class ServiceSettings(BaseSettings):
    """The settings that all three services have."""

    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(description="HTTP port: health, readiness, metrics and, for the gateway, the API")
    replica: str = Field(
        default="1",
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="This replica's name, unique in its service",
    )
    amqp_url: AmqpUrl = Field(description="RabbitMQ, as this service's own user")
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
