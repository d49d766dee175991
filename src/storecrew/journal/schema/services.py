"""Tables of the services and of what was last seen of them."""

import sqlalchemy as sa

from storecrew.journal.schema.journal import metadata

services = sa.Table(
    "services",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("registered_at", sa.Text, nullable=False),
    sa.Column("desired", sa.Text, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)

processes = sa.Table(
    "service_processes",
    metadata,
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("since", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer),
    sa.Column("start_ticks", sa.BigInteger),
    sa.Column("boot_id", sa.Text),
    sa.Column("restarts", sa.Integer, nullable=False),
    sa.Column("exit_code", sa.Integer),
    sa.Column("health", sa.Text, nullable=False),
    sa.Column("health_at", sa.Text),
    sa.Column("adopted", sa.Boolean, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("cpu_limit", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)
