"""The table of input that was not acted on."""

import sqlalchemy as sa

from storecrew.journal.schema.journal import metadata

skipped_inputs = sa.Table(
    "skipped_inputs",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.Text, nullable=False),
    sa.Column("sample", sa.Text, nullable=False),
)
