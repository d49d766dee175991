"""The tables of keys, people and their sessions. No secret stands in them, only hashes."""

import sqlalchemy as sa

from storecrew.journal.schema.journal import metadata

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("revoked_at", sa.Text),
    sa.Column("revoked_by", sa.Text, nullable=False, default=""),
    sa.UniqueConstraint("name", name="keys_by_name"),
    sa.UniqueConstraint("digest", name="keys_by_digest"),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column(
        "user_name", sa.Text, sa.ForeignKey("users.name", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("ends_at", sa.Text, nullable=False),
)
sa.Index("sessions_by_user", sessions.c.user_name)

idempotent_responses = sa.Table(
    "idempotent_responses",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
)
sa.Index("idempotent_responses_by_time", idempotent_responses.c.at)
