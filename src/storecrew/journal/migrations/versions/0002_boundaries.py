"""What guards the boundaries: counts of what was passed by, identities, limits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change the tables."""
    _approvals()


def _approvals() -> None:
    op.add_column(
        "approvals", sa.Column("cash_out", sa.BigInteger, nullable=False, server_default="0")
    )
    op.add_column("approvals", sa.Column("benefit", sa.BigInteger))
