"""Anchors: an audit that was cut or written anew is found, by the key that the database lacks."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storecrew.app import Settings, load_settings
from storecrew.app.audit_anchor import FILE, AuditAnchors
from storecrew.app.bootstrap import ControlPlane, open_plane
from storecrew.journal.audit import GENESIS, digest

KEY = "a-key-of-the-environment-0123456789"
Books = sqlite3.Connection


def settings(folder: Path, key: str = KEY) -> Settings:
    given = {"STORECREW_ORCHESTRATOR__DATA_DIR": str(folder), "STORECREW_SECRET_KEY": key}
    return load_settings(environ=given, directory=folder.parent)


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    async with open_plane(settings(tmp_path / "data")) as plane:
        for _ in range(3):
            await plane.pause(by="person:anna")
            await plane.resume(by="person:anna")
        yield plane


def rewritten(books: Books, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Write the whole audit anew, with hashes that are right."""
    books.row_factory = sqlite3.Row
    rows = change([dict(row) for row in books.execute("SELECT * FROM audit ORDER BY seq")])
    books.execute("DELETE FROM audit")
    previous = GENESIS
    for seq, row in enumerate(rows, start=1):
        row |= {"seq": seq, "previous_hash": previous}
        row["hash"] = previous = digest(row)
        names = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        books.execute(f"INSERT INTO audit ({names}) VALUES ({marks})", [*row.values()])  # noqa: S608
    books.commit()


ATTACKS: dict[str, Callable[[list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "the tail is cut": lambda rows: rows[:-1],
    "all is cut": lambda rows: [],
    "the head is cut": lambda rows: rows[1:],
    "one row is another's": lambda rows: [
        row | {"actor": "person:eve"} if n == 2 else row for n, row in enumerate(rows)
    ],
    "the last row is another's": lambda rows: [*rows[:-1], rows[-1] | {"actor": "person:eve"}],
    "a row is put in": lambda rows: [rows[0] | {"subject": "x"}, *rows],
    "two rows change places": lambda rows: [rows[1], rows[0], *rows[2:]],
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("elsewhere", [True, False])
async def test_an_audit_written_anew_is_found(
    plane: ControlPlane, tmp_path: Path, attack: str, elsewhere: bool
) -> None:
    file = tmp_path / "anchors" if elsewhere else None
    await plane.write_anchor(file)
    assert await plane.verify(file) == []
    with closing(sqlite3.connect(tmp_path / "data" / "registry.db")) as books:
        rewritten(books, ATTACKS[attack])

    [found] = await plane.verify(file)

    assert found.check == "anchor"
    assert "since it was anchored" in found.problem


async def test_an_audit_that_goes_on_agrees_with_every_anchor(
    plane: ControlPlane, tmp_path: Path
) -> None:
    file = tmp_path / "anchors"
    for _ in range(3):
        await plane.write_anchor(file)
        await plane.pause(by="person:anna")
        await plane.resume(by="person:anna")
    assert await plane.verify(file) == []


@pytest.mark.parametrize(
    "line",
    ["", "{}", "[]", "nonsense", "null", '{"seq": 1}', "[" * 5000, "\ud800", '{"seq": "x"}', "é"],
)
async def test_a_line_that_is_no_anchor_is_named(
    plane: ControlPlane, tmp_path: Path, line: str
) -> None:
    file = tmp_path / "anchors"
    file.write_bytes(line.encode("utf-8", "surrogatepass"))
    [found] = await plane.verify(file)
    assert found.check == "anchor"


@pytest.mark.parametrize("name", ["seq", "hash", "at", "day", "signature"])
async def test_an_anchor_cannot_be_forged(plane: ControlPlane, tmp_path: Path, name: str) -> None:
    file = tmp_path / "anchors"
    await plane.write_anchor(file)
    content = json.loads(file.read_text())
    content[name] = content[name] - 1 if name == "seq" else content[name][:-1] + "?"
    file.write_text(json.dumps(content))
    [found] = await plane.verify(file)
    assert found.problem == "is not signed under this shop's secret key"


async def test_a_missing_file_is_no_proof(plane: ControlPlane, tmp_path: Path) -> None:
    [found] = await plane.verify(tmp_path / "none")
    assert found.problem == "holds no anchor"


async def test_an_anchor_is_written_once_a_day(plane: ControlPlane) -> None:
    anchors = AuditAnchors(plane.settings, plane.journal, plane.clock)
    for _ in range(3):
        await anchors.write_daily()
    file = plane.settings.data_dir / FILE
    assert len(file.read_text().splitlines()) == 1
    assert file.stat().st_mode & 0o077 == 0
