"""What the ledger's tables are made of.

Money is whole minor units, times are UTC in ISO 8601 text of fixed width, so that both databases
sort and cut them alike.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from storecrew.database import from_db_time, to_db_time


class UtcText(TypeDecorator[datetime]):
    """An aware moment, kept as `2026-01-31T12:00:00.000000+00:00`."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write in UTC and at full width."""
        return None if value is None else to_db_time(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read back aware."""
        return None if value is None else from_db_time(value)


Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    """Return a table that numbers its rows."""
    return sa.Table(name, METADATA, *parts, sqlite_autoincrement=True)


def number() -> sa.Column[int]:
    """Return the column that numbers the rows."""
    return sa.Column("id", Id, primary_key=True, autoincrement=True)


def text(name: str, *, null: bool = False, index: bool = False) -> sa.Column[str]:
    """Return a column of text."""
    return sa.Column(name, sa.Text, nullable=null, index=index)


def count(name: str, *, null: bool = False) -> sa.Column[int]:
    """Return a column of whole numbers: units, or minor units of money."""
    return sa.Column(name, sa.BigInteger, nullable=null)


def at(name: str) -> sa.Column[datetime]:
    """Return a column of moments."""
    return sa.Column(name, UtcText, nullable=False)


def flag(name: str) -> sa.Column[bool]:
    """Return a column of yes and no."""
    return sa.Column(name, sa.Boolean, nullable=False)


def of_order(*, null: bool = False) -> sa.Column[int]:
    """Return the column that names an order."""
    return sa.Column("order_id", Id, sa.ForeignKey("orders.id"), nullable=null, index=True)
