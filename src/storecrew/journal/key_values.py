"""Small things that outlive a restart, by name: a secret, how far a mailbox was read."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database
from storecrew.journal.rows import advisory_lock
from storecrew.journal.schema.journal import key_values


@dataclass(frozen=True)
class SqlKeyValues:
    """Keeps texts by name in the journal, where every process of the plane finds them."""

    database: Database

    async def find(self, name: str) -> str | None:
        """Return what is kept under the name."""
        return await self.database.read(lambda connection: _find(connection, name))

    async def keep(self, name: str, value: str) -> None:
        """Keep the value in place of an earlier one."""
        await self.database.write(lambda connection: _keep(connection, name, value))

    async def keep_first(self, name: str, value: str) -> str:
        """Keep the value unless there is one already; return the one that stays."""
        return await self.database.write(lambda connection: _keep_first(connection, name, value))


def _find(connection: Connection, name: str) -> str | None:
    here = sa.select(key_values.c.value).where(key_values.c.name == name)
    return connection.execute(here).scalar()


def _keep(connection: Connection, name: str, value: str) -> None:
    advisory_lock(connection, "key_values")
    connection.execute(sa.delete(key_values).where(key_values.c.name == name))
    connection.execute(sa.insert(key_values), {"name": name, "value": value})


def _keep_first(connection: Connection, name: str, value: str) -> str:
    advisory_lock(connection, "key_values")
    if (known := _find(connection, name)) is not None:
        return known
    connection.execute(sa.insert(key_values), {"name": name, "value": value})
    return value
