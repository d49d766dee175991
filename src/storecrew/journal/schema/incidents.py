"""The tables of what the crew did to the plane, and of incidents."""

import sqlalchemy as sa

from storecrew.journal.schema.journal import metadata

operations = sa.Table(
    "operations",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)
sa.Index("operations_by_kind", operations.c.kind, operations.c.at)

anomalies = sa.Table(
    "anomalies",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("observed", sa.Text, nullable=False),
    sa.Column("expected", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("opened_at", sa.Text, nullable=False),
    sa.Column("closed_at", sa.Text),
    sa.Column("resolution", sa.Text, nullable=False),
    sa.Column("told_at", sa.Text),
)
_newest = (anomalies.c.opened_at.desc(), anomalies.c.id)
sa.Index("anomalies_by_time", *_newest)
sa.Index("anomalies_by_status", anomalies.c.status, *_newest)
