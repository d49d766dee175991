"""The table of the models' versions."""

import sqlalchemy as sa

from storecrew.journal.schema.journal import metadata

versions = sa.Table(
    "model_versions",
    metadata,
    sa.Column("skill", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("trained_at", sa.Text, nullable=False),
    sa.Column("first_day", sa.Text),
    sa.Column("last_day", sa.Text),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("accuracy", sa.Text, nullable=False),
    sa.Column("scored_to", sa.Text),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
)
model_artifacts = sa.Table(
    "model_artifacts",
    metadata,
    sa.Column("skill", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("scores", sa.LargeBinary),
)
