"""What guards the boundaries: counts of what was passed by, identities, limits."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Change the tables."""
    _addresses_of_strangers()


def _addresses_of_strangers() -> None:
    """Keep where a ticket without a customer is answered."""
    op.add_column("tickets", sa.Column("contact", sa.Text(), nullable=True))
    op.add_column("tickets", sa.Column("escalation", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("recipient", sa.Text(), nullable=True))
