"""What a database says of its tables: columns, constraints, indexes, triggers and functions."""

import os
import re
from collections.abc import Sequence

import sqlalchemy as sa

from storecrew.database import Counted, connect

Description = dict[str, list[tuple[str, ...]]]

_POSTGRES = {
    "columns": """
        SELECT table_name, ordinal_position, column_name, data_type, character_maximum_length,
               is_nullable, column_default
        FROM information_schema.columns WHERE table_schema = '{schema}'""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = '{schema}'::regnamespace""",
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = '{schema}'""",
    "triggers": """
        SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid)
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = '{schema}'::regnamespace AND NOT tgisinternal""",
    "functions": """
        SELECT proname, prosrc FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace""",
}
_SQLITE = {
    "indexes": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''",
    "triggers": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'",
}


def reflect(connection: sa.Connection) -> Description:
    """Describe every table but the one that holds the version."""
    if connection.dialect.name == "postgresql":
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        found = {
            what: _rows(connection, query.format(schema=schema), schema)
            for what, query in _POSTGRES.items()
        }
    else:
        found = {what: _rows(connection, query) for what, query in _SQLITE.items()}
        found["columns"], found["constraints"] = _tables(connection)
    return {
        what: [row for row in rows if not any("_version" in part for part in row[:2])]
        for what, rows in found.items()
    }


def described(url: str, metadata: sa.MetaData, counted: Sequence[Counted]) -> Description:
    """Describe the tables that the metadata names, made in an empty schema and given up again."""
    schema = f"described_{os.getpid()}"
    is_postgres = url.startswith("postgres")
    engine = connect(url if is_postgres else "sqlite://", schema=schema)
    with engine.connect() as connection:
        if is_postgres:
            connection.execute(sa.schema.CreateSchema(schema))
        metadata.create_all(connection)
        for each in counted:
            each.begin(connection)
        found = reflect(connection)
        connection.rollback()
    engine.dispose()
    return found


def _rows(connection: sa.Connection, query: str, schema: str = "") -> list[tuple[str, ...]]:
    rows = connection.exec_driver_sql(query)
    return sorted(tuple(_plain(part).replace(f"{schema}.", "") for part in row) for row in rows)


def _plain(part: object) -> str:
    return re.sub(r"\s+", " ", str(part))


def _tables(connection: sa.Connection) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Read columns and constraints of SQLite, which keeps the latter only as text."""
    look = sa.inspect(connection)
    columns, constraints = [], []
    for table in look.get_table_names():
        info = connection.exec_driver_sql(f"PRAGMA table_xinfo('{table}')")
        columns += [(table, *(_plain(part) for part in row)) for row in info]
        query = f"SELECT sql FROM sqlite_master WHERE name = '{table}'"  # noqa: S608 - its own names
        text = str(connection.exec_driver_sql(query).scalar_one())
        words = [word for word in ("AUTOINCREMENT", "WITHOUT ROWID") if word in text]
        found = [look.get_pk_constraint(table), *words]
        found += look.get_foreign_keys(table)
        found += look.get_unique_constraints(table)
        found += look.get_check_constraints(table)
        constraints += [(table, _plain(each)) for each in found]
    return sorted(columns), sorted(constraints)
