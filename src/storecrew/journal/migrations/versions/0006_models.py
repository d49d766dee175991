"""What the models learnt, version by version."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "model_versions",
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("trained_at", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Text()),
        sa.Column("last_day", sa.Text()),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("accuracy", sa.Text(), nullable=False),
        sa.Column("scored_to", sa.Text()),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("skill", "number"),
    )
    op.create_table(
        "model_artifacts",
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("scores", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("skill", "number"),
    )
