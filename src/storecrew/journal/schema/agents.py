"""The journal's tables about the crew itself: agents, suspensions, heartbeats, workers."""

import sqlalchemy as sa

from storecrew.journal.schema.journal import metadata

agents = sa.Table(
    "agents",
    metadata,
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False),
    sa.Column("signing_key", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
)

agent_suspensions = sa.Table(
    "agent_suspensions",
    metadata,
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("why", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("part", sa.Text, nullable=False),
)

heartbeats = sa.Table(
    "heartbeats",
    metadata,
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("beat_at", sa.Text),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("started_at", sa.Text, nullable=False),
    sa.Column("beat_at", sa.Double, nullable=False),
)
