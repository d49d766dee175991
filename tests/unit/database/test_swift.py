"""A connection that remembers its statements answers as any connection does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from storecrew.database import Database, connect
from storecrew.database.swift import Plans, SwiftConnection
from storecrew.stores.sql.columns import UtcText

_PLANE = sa.MetaData()
_MARKS = sa.Table(
    "marks",
    _PLANE,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("size", sa.Integer, nullable=False, default=7),
    sa.Column("good", sa.Boolean, nullable=False, default=False),
    sa.Column("at", UtcText),
)
_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
_ROWS = [
    {"name": f"m{n}", "size": n, "good": n % 2 == 0, "at": _AT.replace(hour=n)} for n in range(6)
]
_AMONG = sa.bindparam("among", expanding=True)
_READS: tuple[tuple[sa.Select[Any], dict[str, Any]], ...] = (
    (sa.select(_MARKS).order_by(_MARKS.c.name), {}),
    (sa.select(_MARKS.c.at, sa.func.count().label("n")).group_by(_MARKS.c.at), {}),
    (sa.select(sa.func.max(_MARKS.c.size), sa.func.min(_MARKS.c.name)), {}),
    (sa.select(_MARKS).where(_MARKS.c.at > sa.bindparam("since")), {"since": _AT.replace(hour=2)}),
    (sa.select(_MARKS.c.name).where(_MARKS.c.good.is_(True), _MARKS.c.size > 1), {}),
    (sa.select(_MARKS.c.name).where(_MARKS.c.name.in_(_AMONG)), {"among": ["m1", "m3"]}),
    (sa.select(_MARKS.c.name).where(_MARKS.c.name.in_(_AMONG)), {"among": []}),
    (sa.select(_MARKS.c.size).where(_MARKS.c.at.in_(_AMONG)), {"among": [_AT.replace(hour=4)]}),
    (sa.select(_MARKS.c.name).where(_MARKS.c.size.in_([1, 2])).limit(1), {}),
    (sa.select(_MARKS.c.name).order_by(_MARKS.c.size).limit(sa.bindparam("most")), {"most": 2}),
    (sa.select(_MARKS.c.name).order_by(_MARKS.c.size).limit(2).offset(1), {}),
)


@pytest.fixture
def both() -> Iterator[tuple[Connection, Connection]]:
    """A usual connection and a swift one, each to a database with the same rows."""
    engines = connect("sqlite://"), connect("sqlite://")
    usual, swift = engines[0].connect(), SwiftConnection(engines[1], Plans(engines[1].dialect))
    for connection in (usual, swift):
        connection.begin()
        _PLANE.create_all(connection)
        connection.execute(sa.insert(_MARKS), _ROWS)
    yield usual, swift
    for connection, engine in zip((usual, swift), engines, strict=True):
        connection.close()
        engine.dispose()


@pytest.mark.parametrize(("statement", "given"), _READS)
def test_reads_are_the_same_each_time(
    both: tuple[Connection, Connection], statement: sa.Select[Any], given: dict[str, Any]
) -> None:
    usual, swift = both
    expected = usual.execute(statement, given).all()
    for _ in range(4):
        rows = swift.execute(statement, given).all()
        assert rows == expected
        assert [row._mapping for row in rows] == [row._mapping for row in expected]
        assert [type(v) for row in rows for v in row] == [type(v) for row in expected for v in row]
        assert swift.execute(statement, given).first() == (expected[0] if expected else None)


def test_lists_of_every_length(both: tuple[Connection, Connection]) -> None:
    wanted = sa.select(_MARKS.c.name).where(_MARKS.c.name.in_(_AMONG)).order_by(_MARKS.c.name)
    for count in (3, 0, 5, 1, 3):
        names = [row["name"] for row in _ROWS[:count]]
        found = both[1].execute(wanted, {"among": names}).scalars()
        assert list(found) == names


def test_columns_are_found_by_name_and_by_themselves(both: tuple[Connection, Connection]) -> None:
    wanted = sa.select(_MARKS).where(_MARKS.c.name == sa.bindparam("wanted"))
    for _ in range(3):
        row = both[1].execute(wanted, {"wanted": "m2"}).one()
        assert (row.name, row.at, row._mapping[_MARKS.c.good]) == ("m2", _AT.replace(hour=2), True)


def test_what_is_written_is_the_same(both: tuple[Connection, Connection]) -> None:
    change = (
        sa.update(_MARKS)
        .where(_MARKS.c.name == sa.bindparam("which"))
        .values(size=_MARKS.c.size + sa.bindparam("more"), good=True)
    )
    gone = sa.delete(_MARKS).where(_MARKS.c.name == sa.bindparam("which"))
    added = sa.insert(_MARKS).returning(_MARKS.c.name, _MARKS.c.size)
    seen: list[list[Any]] = []
    for connection in both:
        counts: list[Any] = []
        for n in range(4):
            connection.execute(sa.insert(_MARKS), {"name": f"plain{n}"})
            connection.execute(sa.insert(_MARKS), [{"name": f"x{n}{k}"} for k in range(3)])
            counts.append(connection.execute(added, {"name": f"back{n}", "at": _AT}).one())
            counts.append(connection.execute(change, {"which": f"plain{n}", "more": n}).rowcount)
            connection.execute(change, [{"which": f"x{n}{k}", "more": k} for k in range(3)])
            counts.append(connection.execute(gone, {"which": f"m{n + 3}"}).rowcount)
        rows = connection.execute(sa.select(_MARKS).order_by(_MARKS.c.name)).all()
        seen.append([counts, rows])
    assert seen[0] == seen[1]


def test_errors_are_the_same(both: tuple[Connection, Connection]) -> None:
    again = sa.insert(_MARKS).values(name=sa.bindparam("called"))
    absent = sa.select(_MARKS).where(_MARKS.c.name == sa.bindparam("wanted"))
    for connection in both:
        for n in range(3):
            connection.execute(again, {"called": f"new{n}"})
        for _ in range(2):
            with pytest.raises(IntegrityError):
                connection.execute(again, {"called": "new1"})
            with pytest.raises(StatementError):
                connection.execute(absent, {})
            with pytest.raises(DBAPIError):
                connection.exec_driver_sql("SELECT nothing FROM nowhere")


def test_savepoints_and_rollbacks_hold(both: tuple[Connection, Connection]) -> None:
    swift = both[1]
    counted = sa.select(sa.func.count()).select_from(_MARKS)
    for n in range(3):
        savepoint = swift.begin_nested()
        swift.execute(sa.insert(_MARKS), {"name": f"kept{n}"})
        assert swift.execute(counted).scalar_one() == len(_ROWS) + 1
        savepoint.rollback()
        assert swift.execute(counted).scalar_one() == len(_ROWS)


async def test_inline_transactions_begin_and_end(tmp_path: Path) -> None:
    file = f"sqlite:///{tmp_path / 'marks.db'}"
    database = Database(connect(file), "marks", inline=True)
    await database.write(_PLANE.create_all)
    added, counted = sa.insert(_MARKS), sa.select(sa.func.count()).select_from(_MARKS)
    for n in range(4):
        await database.write(lambda c, n=n: c.execute(added, {"name": f"n{n}"}))
        with pytest.raises(IntegrityError):
            await database.write(
                lambda c, n=n: [c.execute(added, {"name": x}) for x in (f"lost{n}", f"n{n}")]
            )
        assert await database.read(lambda c: c.execute(counted).scalar_one()) == n + 1
    other = Database(connect(file), "marks", inline=True)
    assert await other.read(lambda c: c.execute(counted).scalar_one()) == 4
    await other.close()
    await database.close()
