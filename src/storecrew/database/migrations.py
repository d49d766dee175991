"""Bringing a database to the newest version of its tables, at most once and all or nothing."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from storecrew.database.errors import translated

_MIGRATION_LOCK = 7_305_001
"""Postgres advisory lock: two processes that start at once migrate a schema one after the other."""


def migrate(engine: Engine, scripts: Path, *, name: str) -> None:
    """Run the scripts that the database has not seen, in one transaction.

    A database that is up to date is only read, so opening it waits for no writer. A crash in the
    middle leaves the version of before; the next start begins again. On Postgres the tables live
    in the schema `name`, which is made when missing. Scripts are named `<revision>_<what>.py`,
    numbered in order.
    """
    newest = max(path.stem.partition("_")[0] for path in (scripts / "versions").glob("[0-9]*.py"))
    with translated(name), engine.connect().execution_options(deferred=True) as connection:
        if _version(connection, name) == newest:
            return
    with translated(name), engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            turn = sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK, sa.func.hashtext(name))
            connection.execute(sa.select(turn))
            connection.execute(sa.schema.CreateSchema(name, if_not_exists=True))
        _upgrade(connection, scripts, name)


def _version(connection: Connection, name: str) -> str | None:
    table = f"{name}_version"
    schema = name if connection.dialect.name == "postgresql" else None
    if not sa.inspect(connection).has_table(table, schema=schema):
        return None
    versions = sa.table(table, sa.column("version_num"))
    return connection.execute(sa.select(versions.c.version_num)).scalar()


def _upgrade(connection: Connection, scripts: Path, name: str) -> None:
    # Alembic takes a fifth of a second to import, and most starts have nothing to upgrade
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    directory = ScriptDirectory.from_config(config)
    with EnvironmentContext(
        config, directory, fn=lambda revision, _context: directory._upgrade_revs("head", revision)
    ) as environment:
        environment.configure(
            connection=connection, version_table=f"{name}_version", transactional_ddl=True
        )
        environment.run_migrations()
