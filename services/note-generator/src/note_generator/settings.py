"""What note-generator is told at its start: environment variables that begin with NOTE_GENERATOR_."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings
from shared.settings import AmqpUrl, RedisUrl, ServiceSettings, from_environment


class Price(BaseModel):
    """Dollars for a million tokens."""

    model_config = ConfigDict(frozen=True)

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float = Field(ge=0)
    cache_write: float = Field(ge=0)


class BrokerSettings(BaseSettings):
    """NOTE_GENERATOR_AMQP_URL alone: what `note-generator parked` needs."""

    model_config = from_environment("NOTE_GENERATOR_")

    amqp_url: AmqpUrl = Field(description="RabbitMQ, as this service's own user")


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

    admin_url: RedisUrl = Field(description="Redis as an administrator, redis://…")


class Settings(ServiceSettings):
    """All settings, with the defaults that suit a small installation."""

    model_config = from_environment("NOTE_GENERATOR_")

    port: int = Field(default=8002, description="HTTP port: health, readiness, metrics")
    redis_url: RedisUrl = Field(description="Redis, where the notes are kept")

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
    llm_retries: int = Field(
        default=2,
        ge=0,
        le=5,
        description="Times that a call is repeated after 429, 529, 5xx or a lost connection",
    )
    llm_failures: int = Field(
        default=5, ge=1, description="Failures in a row after which the model is not asked for a while"
    )
    llm_rest_s: float = Field(default=30.0, gt=0, description="How long the model is then not asked")
    lazy: bool = Field(
        default=False,
        description="Write ahead only for sessions that somebody watches, or previewed in the last hour",
    )
    budget_usd_per_day: float | None = Field(
        default=None, ge=0, description="What the model may cost an account on a day (UTC); none: no limit"
    )
    prices_of: date = Field(default=date(2026, 11, 1), description="The day that `prices` is of")
    prices: dict[str, Price] = Field(
        default={
            "claude-haiku-5-5": Price(input=1.0, output=5.0, cache_read=0.1, cache_write=1.25),
            "claude-sonnet-5-5": Price(input=3.0, output=15.0, cache_read=0.3, cache_write=3.75),
            "claude-opus-5-5": Price(input=5.0, output=25.0, cache_read=0.5, cache_write=6.25),
        },
        min_length=1,
        description="JSON: by model, dollars for a million tokens {input, output, cache_read, cache_write}",
    )

    @property
    def price(self) -> Price:
        """That of the model; of one that is not in the table, the highest."""
        return self.prices.get(self.model) or max(self.prices.values(), key=lambda each: each.output)
