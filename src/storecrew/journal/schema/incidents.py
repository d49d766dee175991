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

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("observed", sa.Text, nullable=False),
    sa.Column("expected", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("opened_at", sa.Text, nullable=False),
    sa.Column("closed_at", sa.Text),
    sa.Column("resolution", sa.Text, nullable=False),
    sa.Column("notified_at", sa.Text),
    sa.Column("end_notified_at", sa.Text),
    sa.Column("claimed_by", sa.Text, nullable=False),
    sa.Column("claimed_at", sa.Text),
)
_newest = (incidents.c.opened_at.desc(), incidents.c.id)
sa.Index("incidents_by_kind", incidents.c.kind, *_newest)
sa.Index("incidents_by_status", incidents.c.kind, incidents.c.status, *_newest)
_open = incidents.c.status == sa.literal_column("'open'")
sa.Index(
    "incidents_open", incidents.c.subject, unique=True, sqlite_where=_open, postgresql_where=_open
)
_unfinished = incidents.c.end_notified_at.is_(None)
sa.Index(
    "incidents_unfinished",
    incidents.c.opened_at,
    sqlite_where=_unfinished,
    postgresql_where=_unfinished,
)
