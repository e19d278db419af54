"""What fix-outcomes is told at its start, and what its administration is told."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings
from shared.settings import AmqpUrl, HttpAddress, PostgresUrl, ServiceSettings, from_environment


class Settings(ServiceSettings):
    """FIX_OUTCOMES_…: the running service."""

    model_config = from_environment("FIX_OUTCOMES_")

    port: int = Field(default=8001, description="HTTP port: health, readiness and metrics")
    database_url: PostgresUrl = Field(description="Postgres as the role fix_outcomes, postgresql://…")
    relay_database_url: PostgresUrl = Field(
        description="Postgres as the role fix_outcomes_relay, postgresql://…"
    )
    connections: int = Field(default=8, ge=2, le=100, description="Postgres connections of this replica")
    batches_at_once: int = Field(default=4, ge=1, le=64, description="Command messages handled at once")
    questions_at_once: int = Field(default=4, ge=1, le=64, description="Query messages handled at once")
    relay_poll_s: float = Field(
        default=0.1,
        gt=0,
        le=10,
        description="Seconds after which the relay looks for what another replica left",
    )
    keep_answers_h: float = Field(
        default=48, ge=24, description="Hours for which an Idempotency-Key is answered with the first answer"
    )
    keep_published_h: float = Field(
        default=1, gt=0, description="Hours for which the outbox remembers what was published"
    )


class BrokerSettings(BaseSettings):
    """FIX_OUTCOMES_AMQP_URL alone: what `fix-outcomes parked` needs."""

    model_config = from_environment("FIX_OUTCOMES_")

    amqp_url: AmqpUrl = Field(description="RabbitMQ, as this service's own user")


class OwnerSettings(BaseSettings):
    """DATABASE_ADMIN_URL alone: what `fix-outcomes verify` needs."""

    model_config = from_environment("DATABASE_")

    admin_url: PostgresUrl = Field(description="Postgres as the owner of the database, postgresql://…")


class DatabaseSettings(OwnerSettings):
    """DATABASE_…: what `fix-outcomes database apply` needs, and the running service never has."""

    runtime_password: SecretStr = Field(description="Password of the role fix_outcomes")
    relay_password: SecretStr = Field(description="Password of the role fix_outcomes_relay")


class BrokerAdminSettings(BaseSettings):
    """TOPOLOGY_…: what `fix-outcomes topology psa` needs."""

    model_config = from_environment("TOPOLOGY_")

    api_url: HttpAddress = Field(
        description="RabbitMQ's management API as an administrator, http://user:password@…"
    )
    psa_amqp_url: str = Field(
        default="amqp://localhost:5672/",
        pattern=r"^amqps?://\S+$",
        description="Where PSA tools reach RabbitMQ, amqps://host:port/vhost, without a login",
    )
    vhost: str = Field(default="/", min_length=1, description="RabbitMQ's virtual host")


class TopologySettings(BrokerAdminSettings):
    """TOPOLOGY_…: what `fix-outcomes topology apply` needs, and no running service ever has."""

    gateway_password: SecretStr = Field(description="Password of the broker user gateway")
    fix_outcomes_password: SecretStr = Field(description="Password of the broker user fix-outcomes")
    note_generator_password: SecretStr = Field(description="Password of the broker user note-generator")
    replicate_questions: bool = Field(
        default=False,
        description="For a cluster: reads and previews go on when a node ends, and are slower",
    )
