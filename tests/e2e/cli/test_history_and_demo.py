"""The commands that bring a shop in: from a file, and from the simulator."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from storecrew.cli.main import app

HISTORY = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE LANTERN,6,2010-12-01 08:26:00,2.55,17850,United Kingdom
536365,71053,METAL LANTERN,2,2010-12-01 08:26:00,3.39,17850,United Kingdom
C536379,85123A,WHITE LANTERN,-1,2010-12-01 09:41:00,2.55,17850,United Kingdom
536380,71053,METAL LANTERN,1,2010-12-05 08:26:00,0,17850,United Kingdom
536381,71053,METAL LANTERN,1,2010-12-09 08:26:00,3.39,17850,United Kingdom
"""


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_history_is_imported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "history.csv").write_text(HISTORY)
    arguments = ("import", "online-retail", "history.csv", "--until", "2010-12-05")

    first = json.loads(invoke(*arguments, "--json"))
    again = invoke(*arguments)

    assert (first["rows"], first["orders"], first["returns"], first["rows_after"]) == (5, 1, 1, 1)
    assert sum(skipped["rows"] for skipped in first["skipped"].values()) == 1
    assert first["assumptions"]
    assert "skipped: price is zero or negative" in again
    assert json.loads(invoke("orders", "list", "--json"))["total"] == 1
    assert json.loads(invoke("verify", "--json"))["ok"]


def test_the_demo_prints_one_object_and_leaves_a_shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    said = json.loads(invoke("demo", "--days", "2", "--no-serve", "--json"))

    assert said.keys() >= {
        "days", "orders", "revenue", "margin", "lost_sales", "proposals", "applied", "asked",
        "denied", "audit_entries", "baseline",
    }  # fmt: skip
    assert said["baseline"].keys() >= {"revenue", "margin", "lost_sales"}
    assert (said["days"], said["discrepancies"]) == (2, 0)
    assert json.loads(invoke("verify", "--data-dir", "demo", "--json"))["ok"]
