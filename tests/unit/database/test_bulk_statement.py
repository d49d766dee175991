"""What is written for many rows at once is what one statement per row would write."""

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import BulkStatement, connect
from storecrew.stores.sql.schema.columns import UtcText

_PLANE = sa.MetaData()
_MARKS = sa.Table(
    "marks",
    _PLANE,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("word", sa.Text),
    sa.Column("good", sa.Boolean, nullable=False),
    sa.Column("at", UtcText, nullable=False),
)
_INSERT = BulkStatement(sa.insert(_MARKS))
_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class _Word(StrEnum):
    KEPT = "kept"


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = connect("sqlite://")
    with engine.begin() as opened:
        _PLANE.create_all(opened)
        yield opened
    engine.dispose()


def _row(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "word": None, "good": True, "at": _AT, **more}


def _kept(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(sa.select(_MARKS).order_by(_MARKS.c.name))]


def test_rows_read_back_as_they_were_written_whatever_their_types(connection: Connection) -> None:
    _INSERT.execute(connection, [_row("a", word=_Word.KEPT), _row("b", good=False)])

    assert _kept(connection) == [("a", "kept", True, _AT), ("b", None, False, _AT)]


def test_the_order_of_the_fields_does_not_matter(connection: Connection) -> None:
    for row in (_row("a"), dict(reversed(_row("b", word="w").items()))):
        _INSERT.execute(connection, [row])

    assert _kept(connection) == [("a", None, True, _AT), ("b", "w", True, _AT)]


def test_no_rows_do_nothing(connection: Connection) -> None:
    _INSERT.execute(connection, [])

    assert _kept(connection) == []


def test_each_row_of_an_update_and_of_a_delete_finds_its_own(connection: Connection) -> None:
    here = _MARKS.c.name == sa.bindparam("at_name")
    update = BulkStatement(sa.update(_MARKS).where(here).values({"word": sa.bindparam("word")}))
    delete = BulkStatement(sa.delete(_MARKS).where(here))
    _INSERT.execute(connection, [_row(name) for name in "abc"])

    update.execute(connection, [{"at_name": name, "word": name.upper()} for name in "ab"])
    delete.execute(connection, [{"at_name": "b"}])

    assert _kept(connection) == [("a", "A", True, _AT), ("c", None, True, _AT)]


def test_a_row_without_a_field_of_the_others_is_refused(connection: Connection) -> None:
    short = {"name": "b", "good": True, "at": _AT}

    with pytest.raises(KeyError, match="word"):
        _INSERT.execute(connection, [_row("a"), short])

    assert _kept(connection) == []
