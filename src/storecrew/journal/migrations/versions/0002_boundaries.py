"""What guards the boundaries: counts of what was passed by, identities, limits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change the tables."""
    _approvals()
    _skipped_inputs()


def _approvals() -> None:
    op.add_column(
        "approvals", sa.Column("cash_out", sa.BigInteger, nullable=False, server_default="0")
    )
    op.add_column("approvals", sa.Column("benefit", sa.BigInteger))


def _skipped_inputs() -> None:
    op.create_table(
        "skipped_inputs",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.Column("sample", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "reason"),
    )
