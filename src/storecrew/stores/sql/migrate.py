"""Brings the ledger's schema up to date before anybody reads or writes it."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection

from storecrew.database import Database

VERSION_TABLE = "store_version"
_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x73746F7265  # "store": one migration at a time on a Postgres server


def live_in(engine: Engine, schema: str) -> None:
    """Make every Postgres connection find and create its tables in this schema."""

    def enter(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        quoted = schema.replace('"', '""')
        cursor.execute(f'SET search_path TO "{quoted}"')
        cursor.close()
        connection.commit()

    if engine.dialect.name != "sqlite":
        sa.event.listen(engine, "connect", enter)


def migrate(database: Database, schema: str) -> None:
    """Bring the schema to its newest version, all or nothing.

    Idempotent; of processes that start together one migrates and the others wait. A process
    killed half-way leaves the version before.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    newest = ScriptDirectory.from_config(config).get_current_head()
    if database.run(_version, deferred=True) == newest:
        return

    def upgrade(connection: Connection) -> None:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    database.run(upgrade)


def _version(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE}
    return MigrationContext.configure(connection, opts=options).get_current_revision()
