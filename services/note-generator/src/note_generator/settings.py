"""What note-generator is told at its start: environment variables that begin with NOTE_GENERATOR_."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings
from shared.settings import ServiceSettings, from_environment


class BrokerSettings(BaseSettings):
    """NOTE_GENERATOR_AMQP_URL alone: what `note-generator parked` needs."""

    model_config = from_environment("NOTE_GENERATOR_")

    amqp_url: SecretStr = Field(description="RabbitMQ, as this service's own user")


class UserSettings(BaseSettings):
    """CACHE_…: the passwords of Redis' users, which no running service has."""

    model_config = from_environment("CACHE_")

    gateway_password: SecretStr = Field(description="Password of the Redis user gateway")
    note_generator_password: SecretStr = Field(description="Password of the Redis user note-generator")


class UserFileSettings(UserSettings):
    """CACHE_…: what `note-generator cache users` needs."""

    admin_password: SecretStr = Field(description="Password of the Redis user admin, an operator's")


class CacheSettings(UserSettings):
    """CACHE_…: what `note-generator cache apply` needs."""

    admin_url: SecretStr = Field(description="Redis as an administrator, redis://…")


class Settings(ServiceSettings):
    """All settings, with the defaults that suit a small installation."""

    model_config = from_environment("NOTE_GENERATOR_")

    port: int = Field(default=8002, description="HTTP port: health, readiness, metrics")
    redis_url: SecretStr = Field(description="Redis, where the notes are kept")

    quiet_s: float = Field(
        default=2.0, ge=0, description="A session must be quiet this long before it is written"
    )
    max_wait_s: float = Field(
        default=10.0, ge=0, description="Never wait longer than this after the first change"
    )
    max_sessions: int = Field(
        default=10_000, ge=1, description="Changed sessions held at once; the rest stay queued"
    )
    prefetch: int = Field(
        default=2_000, ge=1, le=65_535, description="Unacknowledged deliveries of changes at once"
    )
    writers: int = Field(
        default=4, ge=1, le=256, description="Sessions that are written at once, ahead of demand"
    )
    previews_at_once: int = Field(
        default=32, ge=1, le=1_000, description="Previews that are answered at once"
    )
    preview_s: float = Field(
        default=55.0, gt=0, description="A preview that takes longer is answered with 503"
    )
    snapshot_s: float = Field(default=4.0, gt=0, description="Seconds to wait for fix-outcomes' answer")

    note_ttl_s: int = Field(
        default=7 * 24 * 3600, ge=1, description="How long a note is kept after it was written"
    )
    lease_s: float = Field(
        default=6.0, gt=0.1, description="A generation's lock ends so long after its holder died"
    )
    redis_timeout_s: float = Field(
        default=0.5, gt=0, description="A Redis that answers slower counts as away"
    )

    anthropic_api_key: SecretStr | None = Field(default=None, description="Without a key the template writes")
    anthropic_base_url: str | None = Field(default=None, description="Another address of the Messages API")
    model: str = Field(default="claude-sonnet-5-5", min_length=1, description="The model that writes")
    llm_timeout_s: float = Field(
        default=30.0, gt=0, description="Seconds for one note; then the template writes"
    )
    max_tokens: int = Field(default=3_000, ge=256, description="Longest answer of the model")
    llm_at_once: int = Field(
        default=4, ge=1, le=256, description="Calls of the model at once, in this replica"
    )
