"""The first tables of the journal."""

import sqlalchemy as sa
from alembic import op

from storecrew.database import Counted

revision = "0001"
down_revision = None

SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _audit()
    _controls()
    _cursors()
    _events()
    _runs()
    _proposals()
    _wakes()
    _approvals()
    _decisions()
    _outcomes()
    _row_counts()


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", SEQ, autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("kind", "subject", name="audit_once"),
    )


def _controls() -> None:
    op.create_table(
        "key_values",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _cursors() -> None:
    op.create_table(
        "outbox_cursors",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", SEQ, autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("source", "external_id", name="events_once"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("not_before", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("proposals", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    newest = [sa.text("created_at DESC"), sa.text("id")]
    op.create_index("runs_by_status", "runs", ["status", "agent", *newest], unique=False)
    op.create_index("runs_by_status_and_time", "runs", ["status", *newest], unique=False)
    op.create_index("runs_by_time", "runs", newest, unique=False)


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("proposals_by_run", "proposals", ["run_id", "n"], unique=False)
    newest = [sa.text("at DESC"), sa.text("run_id"), sa.text("n")]
    op.create_index("proposals_by_time", "proposals", newest, unique=False)


def _wakes() -> None:
    op.create_table(
        "event_deliveries",
        sa.Column("event_seq", SEQ, nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_seq"],
            ["events.seq"],
        ),
        sa.PrimaryKeyConstraint("event_seq", "agent"),
    )
    op.create_index("event_deliveries_by_run", "event_deliveries", ["run_id"], unique=False)
    op.create_index(
        "event_deliveries_pending",
        "event_deliveries",
        ["agent", "event_seq"],
        unique=False,
        sqlite_where=sa.text("run_id IS NULL"),
        postgresql_where=sa.text("run_id IS NULL"),
    )


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposals.id"],
        ),
        sa.PrimaryKeyConstraint("proposal_id"),
    )
    op.create_index(
        "approvals_by_subject",
        "approvals",
        ["subject"],
        unique=False,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "approvals_by_topic",
        "approvals",
        ["topic"],
        unique=False,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index("approvals_by_status", "approvals", ["status", "expires_at"], unique=False)
    names = ["asked_at DESC", "length(proposal_id)", "proposal_id"]
    newest = [sa.text(name) for name in names]
    op.create_index("approvals_by_time", "approvals", ["status", *newest], unique=False)


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("budget_spend", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposals.id"],
        ),
        sa.PrimaryKeyConstraint("proposal_id"),
    )
    op.create_index(
        "decisions_spending",
        "decisions",
        ["day"],
        unique=False,
        sqlite_where=sa.text("budget_spend != 0"),
        postgresql_where=sa.text("budget_spend != 0"),
    )


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["proposals.id"],
        ),
        sa.PrimaryKeyConstraint("proposal_id"),
    )


def _row_counts() -> None:
    op.create_table(
        "row_counts",
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("relation", "part", "state", "shard"),
        sqlite_with_rowid=False,
    )
    for counted in (
        Counted("runs", part="agent", state="status"),
        Counted("proposals"),
        Counted("approvals", state="status"),
        Counted("outcomes", state="result"),
    ):
        counted.begin(op.get_bind())
