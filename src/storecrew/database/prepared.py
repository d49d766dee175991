"""Statements on SQLite that are executed again and again, prepared once and not every time."""

import re
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.sql.dml import UpdateBase

_FETCHED_AT_ONCE = 1000
_PADDED_UP_TO = 1024
"""IN lists up to here are filled up to a power of two, so that few texts are ever parsed."""
_LIST = re.compile(r"__\[POSTCOMPILE_(\S+?)\]")
_Writer = Callable[[Any], Any]


class Rows:
    """What a prepared statement returned: the part of SQLAlchemy's result that is used here."""

    def __init__(self, cursor: sqlite3.Cursor, read: "_Reader", text: str) -> None:
        self._cursor = cursor
        self._read = read
        self._text = text

    @property
    def rowcount(self) -> int:
        """How many rows an insert, update or delete touched."""
        return self._cursor.rowcount

    def __iter__(self) -> Iterator[Any]:
        while rows := self._fetch(_FETCHED_AT_ONCE):
            yield from self._read(rows)

    def all(self) -> list[Any]:
        """Return every row."""
        try:
            return list(self._read(self._cursor.fetchall()))
        except sqlite3.Error as error:
            raise as_raised(error, self._text) from error

    fetchall = all

    def first(self) -> Any:
        """Return the first row or None, and forget the others."""
        rows = self._fetch(1)
        self._cursor.close()
        return next(iter(self._read(rows)), None)

    def one_or_none(self) -> Any:
        """Return the only row, or None where there is none."""
        rows = self._fetch(2)
        if len(rows) > 1:
            raise MultipleResultsFound("one row was expected, and more were found")
        return next(iter(self._read(rows)), None)

    def one(self) -> Any:
        """Return the only row."""
        if (row := self.one_or_none()) is None:
            raise NoResultFound("one row was expected, and none was found")
        return row

    def scalar(self) -> Any:
        """Return the first value of the first row, or None without rows."""
        row = self.first()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """Return the first value of the only row."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        """Return the first value of the only row, or None where there is none."""
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalars(self) -> "Rows":
        """Return the first value of each row in place of the rows."""
        read = self._read
        return Rows(self._cursor, lambda rows: [row[0] for row in read(rows)], self._text)

    def _fetch(self, count: int) -> list[Any]:
        try:
            return self._cursor.fetchmany(count)
        except sqlite3.Error as error:
            raise as_raised(error, self._text) from error


_Reader = Callable[[Sequence[Any]], "Iterator[Any] | list[Any]"]


class PreparedConnection(Connection):
    """A connection to SQLite that finds out once how each lasting statement is executed.

    SQLAlchemy finds out at every execution which values go where and how they are written and
    read; that took several times as long as SQLite needs for the work. A statement that is built
    for one execution is left to SQLAlchemy, and everything is while something listens to what is
    executed or committed.
    """

    def __init__(self, engine: Engine, *, deferred: bool = False) -> None:
        """A deferred transaction locks nothing before it writes."""
        super().__init__(engine)
        self.deferred = deferred
        self.driver: sqlite3.Connection | None = None
        """What a transaction is open on that SQLAlchemy need not hear of."""

    @property
    def is_busy(self) -> bool:
        """Whether a transaction is open."""
        return self.driver is not None or self.in_transaction()

    def transaction(self) -> AbstractContextManager[Any]:
        """Return a transaction that is committed or taken back as its block ends."""
        heard = self.engine.dispatch
        if any(
            (heard.commit, heard.rollback, heard.before_cursor_execute, heard.after_cursor_execute)
        ):
            return self.begin()
        return _Transaction(self)

    def execute(
        self, statement: Any, parameters: Any = None, *, execution_options: Any = None
    ) -> Any:
        """Execute the statement, prepared where it is met again."""
        given = _NOTHING if parameters is None else parameters
        prepared = None
        if self.driver is not None and not execution_options and isinstance(given, dict):
            prepared = _prepared(statement, given, self.dialect)
        if self.driver is None or prepared is None:
            return super().execute(statement, parameters, execution_options=execution_options)
        text, values = prepared.bind(given)
        try:
            return Rows(self.driver.execute(text, values), prepared.read, text)
        except sqlite3.Error as error:
            raise as_raised(error, text) from error

    def scalar(
        self, statement: Any, parameters: Any = None, *, execution_options: Any = None
    ) -> Any:
        """Return the first value of the first row."""
        return self.execute(statement, parameters, execution_options=execution_options).scalar()

    def scalars(
        self, statement: Any, parameters: Any = None, *, execution_options: Any = None
    ) -> Any:
        """Return the first value of each row."""
        return self.execute(statement, parameters, execution_options=execution_options).scalars()

    def exec_driver_sql(
        self, statement: str, parameters: Any = None, execution_options: Any = None
    ) -> Any:
        """Execute the text, for each set of values where they are a list."""
        if self.driver is None or execution_options or not isinstance(parameters, list):
            return super().exec_driver_sql(statement, parameters, execution_options)
        try:
            return self.driver.executemany(statement, parameters)
        except sqlite3.Error as error:
            raise as_raised(error, statement) from error


class _Transaction:
    """A block on a connection: committed as it ends, taken back where it fails."""

    def __init__(self, connection: PreparedConnection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        text = "BEGIN" if self._connection.deferred else "BEGIN IMMEDIATE"
        driver: Any = self._connection.connection.dbapi_connection
        try:
            driver.execute(text)
        except sqlite3.Error as error:
            raise as_raised(error, text) from error
        self._connection.driver = driver

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        driver, self._connection.driver = self._connection.driver, None
        if self._connection.in_transaction():  # SQLAlchemy heard of it, and has to hear its end
            (self._connection.rollback if kind else self._connection.commit)()
            return
        assert driver is not None  # noqa: S101 - it was entered
        try:
            (driver.rollback if kind else driver.commit)()
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                driver.rollback()
            raise as_raised(error, "COMMIT") from error


def as_raised(error: sqlite3.Error, text: str) -> BaseException:
    """Return the error that SQLAlchemy raises in place of the driver's."""
    return DBAPIError.instance(text, None, error, sqlite3.Error)


@dataclass(slots=True, frozen=True)
class _Bind:
    """One value of a statement: given by name, or the same at every execution."""

    name: str
    given: bool
    value: Any
    write: _Writer | None
    is_list: bool


@dataclass(slots=True, frozen=True)
class _Prepared:
    """A statement as SQLite is told it."""

    text: str
    binds: Sequence[_Bind]
    read: _Reader
    lists: bool
    _texts: dict[tuple[int, ...], str] = field(default_factory=dict[tuple[int, ...], str])

    def bind(self, given: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Return the text and its values, in order."""
        values: list[Any] = []
        sizes: list[int] = []
        for bind in self.binds:
            value = given[bind.name] if bind.given else bind.value
            write = bind.write
            if bind.is_list:
                several = _padded(value)
                sizes.append(len(several))
                values += several if write is None else map(write, several)
            else:
                values.append(value if write is None else write(value))
        return (self._text_for(tuple(sizes)) if self.lists else self.text), values

    def _text_for(self, sizes: tuple[int, ...]) -> str:
        if (text := self._texts.get(sizes)) is None:
            left = iter(sizes)
            text = _LIST.sub(lambda _found: _places(next(left)), self.text)
            self._texts[sizes] = text
        return text


def _padded(values: Any) -> list[Any]:
    """Return the values with the last repeated: in a list it says nothing new."""
    several = list(values)
    if (count := len(several)) <= _PADDED_UP_TO and count:
        several += several[-1:] * ((1 << (count - 1).bit_length()) - count)
    return several


def _places(count: int) -> str:
    return ", ".join("?" * count) if count else "SELECT 1 WHERE 1 != 1"


_NOTHING: dict[str, Any] = {}
_Known = dict[tuple[str, ...], _Prepared | None]
_KNOWN: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()
"""Statements met before. One that was built for a single execution leaves it at once."""


def _prepared(statement: Any, given: Mapping[str, Any], dialect: Dialect) -> _Prepared | None:
    """Return how to execute it, or None where SQLAlchemy has to."""
    if (known := _KNOWN.get(statement)) is None:
        if isinstance(statement, sa.Select | sa.CompoundSelect | UpdateBase):
            _KNOWN[statement] = {}
        return None
    names = tuple(given)
    if names not in known:
        known[names] = _prepare(statement, names, dialect)
    return known[names]


def _prepare(statement: Any, names: tuple[str, ...], dialect: Dialect) -> _Prepared | None:
    if statement.get_execution_options():
        return None
    compiled: Any = statement.compile(dialect=dialect, column_keys=names or None)
    order: Sequence[str] = compiled.positiontup or ()
    binds = [compiled.binds[name] for name in order]
    if compiled.literal_execute_params or not set(names) <= {bind.key for bind in binds}:
        return None
    if any(_is_special(bind, names) for bind in binds) or _makes_values(compiled):
        return None
    return _Prepared(
        text=compiled.string,
        binds=[_bind(bind, names, dialect) for bind in binds],
        read=_reader(compiled, dialect),
        lists=any(bind.expanding for bind in binds),
    )


def _is_special(bind: Any, names: tuple[str, ...]) -> bool:
    """Tell whether SQLAlchemy has to find the value, or to say that it is missing."""
    is_missing = bind.required and bind.key not in names
    return is_missing or bind.callable is not None or isinstance(bind.type, sa.types.TupleType)


def _makes_values(compiled: Any) -> bool:
    """Tell whether SQLAlchemy has to fill in what a column has where nothing is given."""
    is_change = compiled.isinsert or compiled.isupdate
    return is_change and bool(compiled.insert_prefetch or compiled.update_prefetch)


def _bind(bind: Any, names: tuple[str, ...], dialect: Dialect) -> _Bind:
    write = bind.type.dialect_impl(dialect).bind_processor(dialect)
    given = bind.key in names
    return _Bind(bind.key, given, None if given else bind.value, write, bind.expanding)


def _reader(compiled: Any, dialect: Dialect) -> _Reader:
    """Return what makes rows of the driver's, with their values as the columns' types say."""
    columns = compiled._result_columns
    names = [column.keyname for column in columns]
    fields: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    row: Any = type("Row", (fields,), {"__slots__": (), "_mapping": property(fields._asdict)})
    make = row._make
    readers = [
        (place, read)
        for place, column in enumerate(columns)
        if (read := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
    ]
    if not readers:
        return lambda rows: map(make, rows)

    def made(raw: Sequence[Any]) -> Any:
        values = list(raw)
        for place, read in readers:
            values[place] = read(values[place])
        return make(values)

    return lambda rows: map(made, rows)
