"""A new shop: what makes one, what does not, and in which money it counts."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from storecrew.app import load_settings
from storecrew.cli.main import app

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str, fails: int = 0, stdin: str = "") -> Any:
        result = CliRunner().invoke(app, list(words), input=stdin)
        assert result.exit_code == fails, result.output
        if fails:
            return result.stderr
        return json.loads(result.stdout) if "--json" in words else result.stdout

    return run


def init(run: Run, currency: str = "EUR") -> None:
    run("init", "--currency", currency, "--zone", "Asia/Tokyo", "--name", "Tea & Co")


def zone_at_noon() -> str:
    """Return a time zone in which no quiet hours are now."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


@pytest.mark.parametrize(
    "words",
    ["verify", "products list", "products set A --price 1", "stock set A 1", "orders list", "run",
     "orders submit A:1", "approvals list", "audit", "agents list", "tickets list", "plan",
     "customers list", "incidents list", "goal show", "keys list", "keys add a --role viewer",
     "users list", "forecast A", "models list", "import list", "import undo 1", "mail report",
     "discounts list",
     "doctor", "status", "verify --data-dir elsewhere"],
)  # fmt: skip
def test_a_command_in_a_wrong_folder_makes_nothing(run: Run, tmp_path: Path, words: str):
    said = run(*words.split(), fails=1)
    assert "there is no" in said
    assert list(tmp_path.iterdir()) == []


def test_a_shop_begins_with_what_its_owner_says(run: Run, tmp_path: Path):
    said = run("init", stdin="CHF\nEurope/Zurich\nTee & mehr\n")
    assert "in CHF" in said
    settings = load_settings(environ={}, directory=tmp_path)
    assert settings.store.currency == "CHF"
    assert (settings.policy.zone, settings.mail.shop) == ("Europe/Zurich", "Tee & mehr")
    assert run("verify", "--json")["ok"]
    assert "already; change it there" in run("init", "--currency", "EUR", fails=1)
    assert "in CHF" in run("init")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--currency", "XYZ", "--zone", "UTC", "--name", "x"], "store.currency"),
        (["--currency", "EUR", "--zone", "Europe/Berln", "--name", "x"], "policy.zone"),
        (["--currency", "EUR", "--zone", "UTC", "--name", "\u2028x"], "mail.shop"),
    ],
)
def test_a_shop_that_cannot_be_leaves_no_file(run: Run, tmp_path: Path, words, said):
    assert said in run("init", *words, fails=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("currency", "price", "cost", "total", "limit"),
    [
        ("EUR", "9.90", "4.20", "49.50 EUR", "500"),
        ("JPY", "1500", "630", "7,500 JPY", "75000"),
        ("KWD", "3.250", "1.250", "16.250 KWD", "150"),
    ],
)
def test_the_first_steps_count_in_the_shops_money(
    run: Run, monkeypatch, currency, price, cost, total, limit
):
    monkeypatch.setenv("STORECREW_POLICY__AUTONOMY", '{"*.SendMessage": "limits"}')
    monkeypatch.setenv("STORECREW_POLICY__ZONE", zone_at_noon())
    init(run, currency)
    run("products", "set", "A", "--name", "Product A", "--price", price, "--cost", cost)
    run("stock", "set", "A", "100")
    run("customers", "set", "ada", "--name", "Ada", "--email", "ada@example.com")
    run("orders", "submit", "Product A:5", "--customer", "ada")
    run("run")
    assert total in run("orders", "show", "1")
    questions = json.dumps(run("approvals", "list", "--json"))
    assert f"{total} against a limit of {limit} {currency}" in questions
    run("orders", "approve", "1")
    run("run")
    with closing(sqlite3.connect("data/orders.db")) as books:
        letters = " ".join(body for (body,) in books.execute("SELECT body FROM messages"))
    amount = total.split()[0]
    assert amount in letters or amount.replace(",", "") in letters


def test_books_are_not_read_in_another_currency(run: Run, tmp_path: Path):
    init(run, "JPY")
    run("products", "set", "A", "--price", "3000")
    file = tmp_path / "storecrew.yaml"
    file.write_text(file.read_text().replace("JPY", "EUR"))
    assert "the books are kept in JPY" in run("products", "list", fails=1)
    file.unlink()
    for words in (["verify"], ["products", "set", "A", "--price", "1"], ["run"]):
        assert "the books are kept in JPY" in run(*words, fails=1)


@pytest.mark.parametrize("currency", ["JPY", "KWD", "HUF", "IDR", "CHF", "USD"])
def test_limits_that_are_not_set_are_in_the_shops_money(tmp_path: Path, currency: str):
    (tmp_path / "storecrew.yaml").write_text(f"store: {{currency: {currency}}}")
    euros = load_settings(environ={}, directory=tmp_path / "none").policy.order_value_limit
    limit = load_settings(environ={}, directory=tmp_path).policy.order_value_limit
    factor = {"JPY": 150, "KWD": 0.3, "HUF": 400, "IDR": 18_000, "CHF": 1, "USD": 1}[currency]
    assert float(limit) == pytest.approx(float(euros) * factor)
    (tmp_path / "storecrew.yaml").write_text(
        f"store: {{currency: {currency}}}\npolicy: {{order_value_limit: 77}}"
    )
    assert load_settings(environ={}, directory=tmp_path).policy.order_value_limit == 77


@pytest.mark.parametrize("words", ["products list", "verify", "keys list", "init"])
def test_a_data_folder_that_is_none_is_named(run: Run, tmp_path: Path, words: str):
    (tmp_path / "data").write_text("a file")
    more = ["--currency", "EUR", "--zone", "UTC", "--name", "x"] if words == "init" else []
    said = run(*words.split(), *more, fails=1)
    assert said.startswith("error: ")
    assert "'data'" in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://root@localhost/shop", "database.url: must be a URL such as postgresql://"),
        ("postgresql://u:hunter2@127.0.0.1:1/shop", "127.0.0.1"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_with_its_cause(
    run: Run, monkeypatch, url, said
):
    monkeypatch.setenv("DATABASE_URL", url)
    error = run("products", "list", fails=1)
    assert said in error
    assert "hunter2" not in error


@pytest.mark.parametrize(
    "words", ["orders show 7", "products show none", "stock set A 1", "approvals show x@1/0"]
)
def test_an_error_is_json_where_json_was_asked_for(run: Run, words: str):
    init(run)
    result = CliRunner().invoke(app, [*words.split(), "--json"])
    said = json.loads(result.stdout)
    assert (result.exit_code, said["exit_code"]) == (1, 1)
    assert said["errors"] == [said["error"]]
    assert said["error"] in result.stderr


def test_a_count_of_an_unknown_product_is_refused_with_a_suggestion(run: Run, tmp_path: Path):
    init(run)
    run("products", "set", "A1", "--name", "Green tea", "--price", "9.90", "--cost", "4.20")
    assert "did you mean 'Green tea'?" in run("stock", "set", "Gren tea", "5", fails=1)
    (tmp_path / "stock.json").write_text('{"Green tea": 5, "Gren tee": 6}')
    assert "did you mean 'Green tea'?" in run("stock", "import", "stock.json", fails=1)
    assert run("stock", "set", "green TEA", "7")
    assert [each["sku"] for each in run("products", "list", "--json")["items"]] == ["A1"]


def test_a_price_below_the_floor_needs_anyway(run: Run):
    init(run)
    run("products", "set", "A", "--price", "9.90", "--cost", "4.20")
    for words in (
        ["products", "set", "A", "--price", "1"],
        ["products", "set", "A", "--cost", "9.80"],
        ["discounts", "create", "X", "90", "A"],
    ):
        assert "`anyway` does it all the same" in run(*words, fails=1)
        run(*words, "--anyway")


def test_a_product_is_retired_and_sold_again(run: Run):
    init(run)
    run("products", "set", "A", "--price", "9.90", "--cost", "4.20")
    run("stock", "set", "A", "5")
    run("products", "set", "A", "--retired")
    assert "is sold no longer" in run("orders", "submit", "A:1", fails=1)
    run("products", "set", "A", "--for-sale")
    run("orders", "submit", "A:1")
