"""Agents that were registered, what halts them, heartbeats, incidents, workers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables, and tell on runs and decisions what budgets and workers need."""
    _of_the_crew()
    _of_its_health()
    op.add_column("runs", sa.Column("worker", sa.Text(), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("tokens", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("runs_by_agent", "runs", ["agent", sa.text("created_at DESC"), "id"])
    op.add_column(
        "decisions", sa.Column("cash_out", sa.BigInteger(), nullable=False, server_default="0")
    )
    moving = sa.text("cash_out != 0")
    op.create_index(
        "decisions_moving", "decisions", ["day"], sqlite_where=moving, postgresql_where=moving
    )


def _of_the_crew() -> None:
    op.create_table(
        "agents",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("signing_key", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agent"),
    )
    op.create_table(
        "agent_suspensions",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agent", "why"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("beat_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def _of_its_health() -> None:
    op.create_table(
        "heartbeats",
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("beat_at", sa.Text()),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("agent"),
    )
    op.create_table(
        "agent_incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.Text()),
        sa.Column("notified_at", sa.Text()),
        sa.Column("end_notified_at", sa.Text()),
        sa.Column("held_by", sa.Text(), nullable=False),
        sa.Column("held_at", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    is_open = sa.text("closed_at IS NULL")
    op.create_index(
        "agent_incidents_open",
        "agent_incidents",
        ["agent"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
