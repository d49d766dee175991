"""Statements for many rows at once, prepared once and not row by row."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql.dml import UpdateBase

_Row = Mapping[str, Any]
_Arguments = Callable[[Sequence[_Row]], Sequence[Any]]


class BulkStatement:
    """An insert, update or delete that is carried out for each of some rows.

    What SQLAlchemy prepares for every row anew (the order of its values, how each type is written)
    is found out once here: that took more time than writing the row. All rows of a call have the
    same fields, and no column is left to a default of Python's.
    """

    def __init__(self, statement: UpdateBase) -> None:
        """One of these is made per statement, and kept: what was found out is kept in it."""
        self._statement = statement
        self._prepared: dict[tuple[str, ...], tuple[str, _Arguments]] = {}

    def execute(self, connection: Connection, rows: Sequence[_Row]) -> None:
        """Carry it out for each row; without rows nothing is done."""
        if not rows:
            return
        key = (connection.dialect.name, *rows[0])
        if (prepared := self._prepared.get(key)) is None:
            prepared = self._prepared[key] = self._prepare(connection.dialect, tuple(rows[0]))
        text, arguments = prepared
        connection.exec_driver_sql(text, arguments(rows))

    def _prepare(self, dialect: Dialect, names: tuple[str, ...]) -> tuple[str, _Arguments]:
        """Return the statement's text, and what makes its arguments of rows."""
        compiled: Any = self._statement.compile(
            dialect=dialect, column_keys=names, for_executemany=True
        )
        order: list[str] = list(compiled.positiontup or names)
        writers = {
            name: writer
            for name in order
            if (impl := compiled.binds[name].type.dialect_impl(dialect)) is not None
            and (writer := impl.bind_processor(dialect)) is not None
        }
        if compiled.positiontup is None:
            return str(compiled), lambda rows: [_written(row, writers) for row in rows]
        pick = itemgetter(*order) if len(order) > 1 else lambda row: (row[order[0]],)
        if not writers:
            return str(compiled), lambda rows: [pick(row) for row in rows]
        return str(compiled), lambda rows: [pick(_written(row, writers)) for row in rows]


def _written(row: _Row, writers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    """Return the row with its values as the database's driver takes them."""
    return {**row, **{name: write(row[name]) for name, write in writers.items()}}
