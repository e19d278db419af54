"""Parked fixes are found without reading the others."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create index suggested_fixes_parked on suggested_fixes (account_id)"
        " where status in ('applied_partial', 'applied_pending')"
    )


def downgrade() -> None:
    op.execute("drop index suggested_fixes_parked")
