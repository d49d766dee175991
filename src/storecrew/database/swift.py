"""A SQLite connection that remembers how statements are said, for simulations in one thread.

A statement that comes again is compiled once and then handed to the driver as it is: what is sent
and what comes back are the same as through `Connection.execute`, at a fraction of its cost. What
is seen for the first time, and all that is unusual, takes the usual way.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

_MOST = 2000
"""Statements that are remembered; beyond, all are forgotten."""
_USUAL = (sa.Select, sa.CompoundSelect, sa.Insert, sa.Update, sa.Delete)

Process = Callable[[Any], Any] | None
"""What makes of a value what the driver takes; None where it takes it as it is."""


@dataclass(frozen=True)
class _Slot:
    """Where the value of one place in a statement comes from."""

    name: str
    """Of the caller's parameter; "" where the statement itself brings it."""
    value: Any
    """What the statement brings."""
    position: int | None
    """Which of a list of values; None where the value is no list."""
    process: Process

    def fill(self, given: Mapping[str, Any]) -> Any:
        value = given[self.name] if self.name else self.value
        if self.position is not None:
            value = value[self.position]
        return value if self.process is None else self.process(value)


@dataclass(frozen=True)
class _Said:
    """The text of a statement, and what its places take."""

    text: str
    slots: Sequence[_Slot]
    simple: tuple[str, ...] | None
    """The caller's names alone, where each value goes as it is."""

    def values(self, given: Mapping[str, Any]) -> Sequence[Any]:
        if self.simple is not None:
            return [given[name] for name in self.simple]
        return [slot.fill(given) for slot in self.slots]


@dataclass
class _Plan:
    """How a statement with parameters of these names is carried out."""

    compiled: SQLCompiler
    names: Mapping[str, str]
    """Per place, the caller's name for it; what the statement brings is left out."""
    lists: Sequence[str]
    """Places that take a list of any length."""
    brought: Mapping[str, Any]
    rows: SimpleResultMetaData | None
    said: dict[tuple[int, ...], _Said] = field(default_factory=dict[tuple[int, ...], _Said])
    """By the lengths of the lists."""

    def of(self, given: Mapping[str, Any]) -> _Said:
        """Return what is said for lists as long as these."""
        lengths = tuple(
            len(given[self.names[each]] if each in self.names else self.brought[each])
            for each in self.lists
        )
        found = self.said.get(lengths)
        if found is None:
            found = self.said[lengths] = self._say(given)
        return found

    def _say(self, given: Mapping[str, Any]) -> _Said:
        values = {name: given[key] for name, key in self.names.items()}
        state = self.compiled._process_parameters_for_postcompile({**self.brought, **values})
        places = {
            each: (name, position)
            for name, parts in state.parameter_expansion.items()
            for position, each in enumerate(parts)
        }
        processors = {**self.compiled._bind_processors, **state.processors}
        slots = []
        for place in state.positiontup or ():
            name, position = places.get(place, (place, None))
            process = processors.get(place, processors.get(name))
            slots.append(
                _Slot(self.names.get(name, ""), self.brought.get(name), position, process)  # type: ignore[arg-type]
            )
        plain = all(s.name and s.position is None and s.process is None for s in slots)
        return _Said(state.statement, slots, tuple(s.name for s in slots) if plain else None)


class Plans:
    """What is remembered of the statements of one database."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._seen: dict[int, object] = {}
        self._plans: dict[tuple[Any, ...], _Plan | None] = {}

    def plan(self, statement: Any, names: tuple[str, ...], *, many: bool) -> _Plan | None:
        """Return how to say it; None at first sight and for what takes the usual way."""
        table = _plain_insert(statement)
        place = id(statement) if table is None else id(table)
        if place not in self._seen:
            if len(self._seen) >= _MOST:
                self._seen.clear()
                self._plans.clear()
            self._seen[place] = (
                statement if table is None else table
            )  # kept, so that the place stays its own
            return None
        key = (place, many, names)
        if key not in self._plans:
            self._plans[key] = self._planned(statement, names, many=many)
        return self._plans[key]

    def _planned(self, statement: Any, names: tuple[str, ...], *, many: bool) -> _Plan | None:
        if not isinstance(statement, _USUAL) or statement.get_execution_options():
            return None
        compiled = statement.compile(
            dialect=self._dialect, column_keys=sorted(names), for_executemany=many
        )
        if not isinstance(compiled, SQLCompiler) or _is_unusual(compiled, many=many):
            return None
        defaults = _scalar_defaults(compiled)
        found: dict[str, str] = {}
        brought: dict[str, Any] = {}
        for bound, name in compiled.bind_names.items():
            if bound.key in names or name in names:
                found[name] = bound.key if bound.key in names else name
            elif name in defaults:
                brought[name] = defaults[name]
            elif bound.required or bound.callable is not None:
                return None
            else:
                brought[name] = bound.effective_value
        lists = [compiled.bind_names[each] for each in compiled.post_compile_params]
        columns = compiled._result_columns
        rows = None
        if columns:
            processors = [
                each.type._cached_result_processor(self._dialect, None) for each in columns
            ]
            rows = SimpleResultMetaData(
                [each.keyname for each in columns],
                extra=[each.objects for each in columns],
                _processors=processors if any(processors) else None,
            )
        return _Plan(compiled, found, lists, brought, rows)


def _is_unusual(compiled: SQLCompiler, *, many: bool) -> bool:
    """Tell whether a statement needs more than its text and the values of its places."""
    columns = compiled._result_columns
    return bool(
        compiled.literal_execute_params
        or len(_scalar_defaults(compiled)) < len(compiled.insert_prefetch)
        or compiled.update_prefetch
        or compiled.escaped_bind_names
        or (columns and (many or not compiled._ordered_columns))
        or any(not each.expanding or each.type._is_tuple_type
               for each in compiled.post_compile_params)
    )  # fmt: skip


def _scalar_defaults(compiled: SQLCompiler) -> dict[str, Any]:
    """Return what the table's own columns put where an insert says nothing."""
    return {
        column.key: column.default.arg
        for column in compiled.insert_prefetch
        if isinstance(column.default, sa.ColumnDefault) and column.default.is_scalar
    }


def _plain_insert(statement: Any) -> object | None:
    """Return the table of an insert that says nothing else: all such inserts are one."""
    if isinstance(statement, sa.Insert) and not statement._returning:
        said = (statement._values, statement._multi_values, statement.select)
        also = (statement._post_values_clause, statement._prefixes, statement._inline)
        if not any(said) and not any(also):
            return statement.table
    return None


class _Changed:
    """The result of a statement without rows."""

    __slots__ = ("rowcount",)

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


class SwiftConnection(Connection):
    """Executes what it remembers on the driver's connection, all else as any connection."""

    def __init__(self, engine: Engine, plans: Plans) -> None:
        super().__init__(engine)
        self._known = plans

    def execute(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        """Execute a statement, as `Connection.execute` does."""
        many = isinstance(parameters, list)
        first = (parameters[0] if parameters else None) if many else parameters
        if options or not isinstance(first, Mapping | None) or (many and not parameters):
            return super().execute(statement, parameters, **options)
        plan = self._known.plan(statement, tuple(first or ()), many=many)
        if plan is None or not self.in_transaction():
            return super().execute(statement, parameters)
        try:
            return self._carry_out(plan, parameters, many=many)
        except (sqlite3.Error, KeyError):
            return super().execute(statement, parameters)  # which says what is wrong

    def plainly(self, text: str) -> None:
        """Execute a text without values or rows."""
        try:
            self._driver.execute(text)
        except sqlite3.Error:
            self.exec_driver_sql(text)

    @property
    def _driver(self) -> sqlite3.Connection:
        found: sqlite3.Connection = self.connection.dbapi_connection  # type: ignore[assignment]
        return found

    def _carry_out(self, plan: _Plan, given: Any, *, many: bool) -> Any:
        if many:
            said = plan.of(given[0])
            cursor = self._driver.executemany(said.text, [said.values(each) for each in given])
            return _Changed(cursor.rowcount)
        given = given or {}
        said = plan.of(given)
        cursor = self._driver.execute(said.text, said.values(given))
        if plan.rows is None:
            return _Changed(cursor.rowcount)
        return IteratorResult(plan.rows, iter(cursor.fetchall()))
