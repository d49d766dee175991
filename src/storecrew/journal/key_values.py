"""Small things that outlive a restart, by name: a secret, how far a mailbox was read."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, reading, writing
from storecrew.journal.rows import advisory_lock
from storecrew.journal.schema.journal import key_values


def _find(connection: Connection, name: str) -> str | None:
    """Return what is kept under the name."""
    here = sa.select(key_values.c.value).where(key_values.c.name == name)
    return connection.execute(here).scalar()


def _keep(connection: Connection, name: str, value: str) -> None:
    """Keep the value in place of an earlier one."""
    advisory_lock(connection, "key_values")
    connection.execute(sa.delete(key_values).where(key_values.c.name == name))
    connection.execute(sa.insert(key_values), {"name": name, "value": value})


def _keep_first(connection: Connection, name: str, value: str) -> str:
    """Keep the value unless there is one already; return the one that stays."""
    advisory_lock(connection, "key_values")
    if (known := _find(connection, name)) is not None:
        return known
    connection.execute(sa.insert(key_values), {"name": name, "value": value})
    return value


@dataclass(frozen=True)
class SqlKeyValues:
    """Keeps texts by name in the journal, where every process of the plane finds them."""

    database: Database

    find = reading(_find)
    keep = writing(_keep)
    keep_first = writing(_keep_first)
