"""Alembic's entry: the connection comes from `fix-outcomes database apply`, which calls it."""

from alembic import context
from fix_outcomes.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
