"""The tables, as the queries name them. Made and changed by the migrations alone; a test holds both together."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSON, UUID

metadata = MetaData()


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _owned() -> tuple[Column[object], ...]:
    return (Column("account_id", UUID, nullable=False), Column("session_id", UUID, nullable=False))


sessions = Table(
    "sessions",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("account_id", UUID, nullable=False),
    Column("title", Text),
    Column("status", Text, nullable=False),
    Column("session_type", Text, nullable=False),
    Column("intake_type", Text, nullable=False),
    Column("intake_text", Text, nullable=False),
    Column("ticket", JSON),
    Column("state_version", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("created_by", JSON, nullable=False),
    _at("created_at"),
    _at("updated_at"),
)

fixes = Table(
    "suggested_fixes",
    metadata,
    Column("id", UUID, primary_key=True),
    *_owned(),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("confidence_pct", SmallInteger, nullable=False),
    Column("status", Text, nullable=False),
    _at("applied_at", nullable=True),
    _at("verified_at", nullable=True),
    Column("partial_notes", Text),
    Column("pending_reason", Text),
    Column("failure_reason", Text),
    Column("ai_outcome_proposal", JSON),
    _at("superseded_at", nullable=True),
    _at("created_at"),
    _at("updated_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", UUID, primary_key=True),
    *_owned(),
    Column("sequence", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("author", JSON, nullable=False),
    _at("created_at"),
)

facts = Table(
    "facts",
    metadata,
    Column("id", UUID, primary_key=True),
    *_owned(),
    Column("sequence", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("author", JSON, nullable=False),
    _at("created_at"),
)

journal = Table(
    "journal",
    metadata,
    Column("session_id", UUID, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("account_id", UUID, nullable=False),
    Column("state_version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("fix_id", UUID),
    Column("from_status", Text),
    Column("to_status", Text),
    Column("notes", Text),
    Column("actor", JSON, nullable=False),
    _at("at"),
    Column("command_id", UUID, nullable=False),
    Column("data", JSON, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("position", BigInteger, Identity(always=True)),
    Column("session_id", UUID, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    _at("published_at", nullable=True),
    Column("traceparent", Text),
)

command_log = Table(
    "command_log",
    metadata,
    Column("command_id", UUID, primary_key=True),
    Column("account_id", UUID, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("answer", JSON, nullable=False),
    _at("accepted_at"),
    _at("decided_at"),
)

parked_commands = Table(
    "parked_commands",
    metadata,
    Column("command_id", UUID, primary_key=True),
    Column("account_id", UUID, nullable=False),
    Column("reason", Text, nullable=False),
    _at("parked_at"),
)
