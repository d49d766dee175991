"""A statement that is prepared once gives what SQLAlchemy gives, and fails as it fails there."""

# mypy: disable-error-code="attr-defined"
# (SQLAlchemy types what `with` opens as its own Connection)

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError, MultipleResultsFound, NoResultFound, OperationalError

from storecrew.database import Database, Durability, connect
from storecrew.database.prepared import PreparedConnection
from storecrew.domain.errors import StorageBusy
from storecrew.stores.sql.schema.columns import UtcText

_PLANE = sa.MetaData()
_MARKS = sa.Table(
    "marks",
    _PLANE,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("good", sa.Boolean, nullable=False),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("word", sa.Text, default="none"),
)
_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
_INSERT = sa.insert(_MARKS).returning(_MARKS.c.id)
_AMONG = (
    sa.select(_MARKS).where(_MARKS.c.name.in_(sa.bindparam("names", expanding=True))).order_by("id")
)
_NOT_AMONG = sa.select(_MARKS.c.name).where(
    _MARKS.c.name.not_in(sa.bindparam("names", expanding=True))
)
_SINCE = sa.select(_MARKS.c.name, sa.func.count().label("n")).where(
    _MARKS.c.at >= sa.bindparam("since"), _MARKS.c.good == sa.true()
)
_GOOD = sa.update(_MARKS).where(_MARKS.c.name == sa.bindparam("who")).values(good=False)


def _row(name: str, **more: object) -> dict[str, Any]:
    return {"name": name, "good": True, "at": _AT, "word": "w", **more}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"sqlite:///{tmp_path}/marks.db", durability=Durability(busy_seconds=0.05))
    with engine.begin() as opened:
        _PLANE.create_all(opened)
        opened.execute(sa.insert(_MARKS), [_row("a"), _row("b", good=False), _row("c", word=None)])
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[PreparedConnection]:
    with PreparedConnection(engine) as opened, opened.transaction():
        yield opened


def _twice(connection: PreparedConnection, statement: Any, given: dict[str, Any]) -> Any:
    """Return what the statement gives when it is met again."""
    connection.execute(statement, given).all()
    return connection.execute(statement, given)


def _plain(engine: Engine, statement: Any, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    with engine.connect() as plain:
        return [tuple(row) for row in plain.execute(statement, given)]


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b", "c"], ["c", "x", "a", "a", "b"]])
@pytest.mark.parametrize("statement", [_AMONG, _NOT_AMONG])
def test_rows_are_those_of_sqlalchemy_however_long_the_list(
    engine: Engine, statement: Any, names: list[str]
) -> None:
    expected = _plain(engine, statement, {"names": names})

    with PreparedConnection(engine, deferred=True) as opened, opened.transaction():
        found = [tuple(row) for row in _twice(opened, statement, {"names": names})]

    assert found == expected


def test_values_are_written_and_read_as_their_columns_say(connection: PreparedConnection) -> None:
    row = _twice(connection, _AMONG, {"names": ["b"]}).one()

    assert (row.name, row.good, row.at) == ("b", False, _AT)
    assert dict(row._mapping)["at"] == _AT
    assert _twice(connection, _SINCE, {"since": _AT}).one() == ("a", 2)


def test_a_row_is_returned_with_the_id_that_it_was_given(connection: PreparedConnection) -> None:
    ids = [connection.execute(_INSERT, _row(name)).scalar_one() for name in "xyz"]

    assert ids == [4, 5, 6]


def test_what_a_column_has_without_a_value_is_filled_in(connection: PreparedConnection) -> None:
    given = {key: value for key, value in _row("x").items() if key != "word"}
    for name in "xy":
        connection.execute(_INSERT, {**given, "name": name}).all()

    assert [row.word for row in connection.execute(_AMONG, {"names": ["x", "y"]})] == ["none"] * 2


def test_an_update_tells_how_many_rows_it_touched(connection: PreparedConnection) -> None:
    counts = [connection.execute(_GOOD, {"who": who}).rowcount for who in ("a", "a", "nobody")]

    assert counts == [1, 1, 0]


def test_one_row_is_asked_for_and_another_number_is_found(connection: PreparedConnection) -> None:
    everybody, nobody = {"names": ["a", "b"]}, {"names": ["x"]}
    connection.execute(_AMONG, nobody).all()

    with pytest.raises(MultipleResultsFound):
        connection.execute(_AMONG, everybody).one_or_none()
    with pytest.raises(NoResultFound):
        connection.execute(_AMONG, nobody).one()
    assert connection.execute(_AMONG, nobody).scalar_one_or_none() is None
    assert connection.execute(_AMONG, {"names": ["a"]}).scalar_one_or_none() == 1
    assert (connection.scalar(_AMONG, nobody), connection.scalar(_AMONG, everybody)) == (None, 1)
    assert connection.scalars(_AMONG, everybody).all() == [1, 2]
    assert connection.execute(_AMONG, everybody).fetchall()[1].name == "b"


def test_a_missing_value_is_refused(connection: PreparedConnection) -> None:
    connection.execute(_AMONG, {"names": []}).all()

    for _ in range(2):
        with pytest.raises(sa.exc.StatementError, match="names"):
            connection.execute(_AMONG, {})


def test_a_statement_for_one_execution_leaves_no_trace(connection: PreparedConnection) -> None:
    for name in "ab":
        found = connection.execute(sa.select(_MARKS.c.good).where(_MARKS.c.name == name))
        assert found.scalar_one() is (name == "a")


def test_the_drivers_errors_come_out_as_those_of_sqlalchemy(connection: PreparedConnection) -> None:
    connection.execute(_INSERT, _row("x")).all()

    with pytest.raises(IntegrityError):
        connection.execute(_INSERT, _row("x")).all()
    with pytest.raises(IntegrityError):
        connection.exec_driver_sql("INSERT INTO marks (name) VALUES (?)", [("y",), ("z",)])


def test_what_fails_is_taken_back_as_a_whole(engine: Engine) -> None:
    def fail() -> None:
        with PreparedConnection(engine) as opened, opened.transaction():
            opened.execute(_GOOD, {"who": "a"})
            opened.execute(_GOOD, {"who": "a"})
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()

    assert _plain(engine, _SINCE, {"since": _AT}) == [("a", 2)]


def test_what_sqlalchemy_and_the_driver_write_is_one_transaction(engine: Engine) -> None:
    def write(*, fail: bool) -> None:
        with PreparedConnection(engine) as opened, opened.transaction():
            for name in ("one", "two"):
                opened.execute(_INSERT, _row(name)).all()
            opened.execute(sa.delete(_MARKS).where(_MARKS.c.name == "a"))
            if fail:
                raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        write(fail=True)
    assert len(_plain(engine, _AMONG, {"names": ["a", "one", "two"]})) == 1

    write(fail=False)
    assert len(_plain(engine, _AMONG, {"names": ["a", "one", "two"]})) == 2


def test_a_savepoint_takes_back_what_was_prepared(engine: Engine) -> None:
    with PreparedConnection(engine) as opened, opened.transaction():
        opened.execute(_INSERT, _row("kept")).all()
        savepoint = opened.begin_nested()
        opened.execute(_INSERT, _row("gone")).all()
        savepoint.rollback()

    assert [row[1] for row in _plain(engine, _AMONG, {"names": ["kept", "gone"]})] == ["kept"]


def test_a_locked_database_is_named_as_such(engine: Engine) -> None:
    with PreparedConnection(engine) as holder, holder.transaction():
        with PreparedConnection(engine) as other, pytest.raises(OperationalError, match="locked"):
            other.transaction().__enter__()
        with pytest.raises(StorageBusy):
            Database(engine, "marks").run(lambda _connection: None)


def test_who_listens_hears_of_every_statement_and_commit(engine: Engine) -> None:
    heard: list[str] = []
    sa.event.listen(engine, "after_cursor_execute", lambda *told: heard.append(told[2][:6]))
    sa.event.listen(engine, "commit", lambda _connection: heard.append("COMMIT"))

    with PreparedConnection(engine) as opened, opened.transaction():
        for _ in range(2):
            opened.execute(_GOOD, {"who": "a"})

    assert [word for word in heard if word != "BEGIN "] == ["UPDATE", "UPDATE", "COMMIT"]


async def test_work_inside_inline_work_has_a_transaction_of_its_own(tmp_path: Path) -> None:
    database = Database(connect(f"sqlite:///{tmp_path}/x.db"), "x", inline=True)
    await database.write(lambda c: _PLANE.create_all(c))
    ones = sa.select(sa.literal(1))

    def outer(connection: PreparedConnection) -> tuple[int, bool]:
        inner = database.run(lambda c: c, deferred=True)
        found: int = connection.execute(ones).scalar_one()
        return found, inner is connection

    assert await database.read(outer) == (1, False)
    await database.close()


def test_a_database_of_inline_work_releases_the_connection_that_it_keeps(engine: Engine) -> None:
    database = Database(engine, name="marks", inline=True)
    assert database.run(lambda c: len(c.execute(sa.select(_MARKS)).all())) == 3
    pool: Any = engine.pool
    assert pool.checkedout() == 1
    database.release()
    assert pool.checkedout() == 0
