"""An event goes on in the trace of the request that it came of, where that is traced."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table outbox add column traceparent text")


def downgrade() -> None:
    op.execute("alter table outbox drop column traceparent")
