"""`storecrew competitors`: a page is looked at, tracked, listed, and tracked no more."""

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from storecrew.app import load_settings
from storecrew.app.bootstrap import open_plane
from storecrew.cli.main import app
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import RecordCompetitorPrice, UpsertProduct

PAGE = """<html><head><title>Oak lamp</title></head><body><main><h1>Oak lamp</h1>
<p class="price">{price}</p><p>{words}</p><button>Add to cart</button></main></body></html>"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORECREW_WEB__ALLOW_PRIVATE", "true")
    monkeypatch.setenv("STORECREW_WEB__REQUEST_INTERVAL", "0")

    async def fill() -> None:
        async with open_plane(load_settings()) as plane:
            put = UpsertProduct(sku="L-1", name="Oak lamp", price=Money.of(199, "EUR"))
            await plane.store.apply(put, key="put")

    asyncio.run(fill())

    def run(*words: str, fails: int = 0) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == fails, result.output
        return result.stderr if fails else result.stdout

    return run


def test_a_page_is_understood_tracked_listed_and_ended(run: Any, site: tuple[Path, str]) -> None:
    folder, address = site
    (folder / "lamp.html").write_text(PAGE.format(price="189,00 €", words=""), "utf-8")
    said = run("competitors", "add", "L-1", f"{address}/lamp.html", "--competitor", "rival")
    assert "price there  189.00 EUR" in said
    assert "The page of rival is tracked for L-1.\n" in said

    async def record() -> None:
        async with open_plane(load_settings()) as plane:
            price = Money.of(189, "EUR")
            seen = RecordCompetitorPrice(sku="L-1", competitor="rival", price=price)
            await plane.store.apply(seen, key="seen")

    asyncio.run(record())
    (listed,) = json.loads(run("competitors", "list", "--json"))["items"]
    assert listed["page"]["url"] == f"{address}/lamp.html"
    assert listed["price"]["price"]["amount"] == "189"

    assert "no more" in run("competitors", "remove", "L-1", "rival")
    assert json.loads(run("competitors", "list", "--json"))["items"] == []
    assert "no competitor page" in run("competitors", "remove", "L-1", "rival", fails=1)


@pytest.mark.parametrize(
    ("price", "words", "problem"),
    [
        ("2 for 300 €", "", "its price is of several pieces"),
        ("189 $", "", "it is in no known currency"),
        ("", "", "no price was found"),
        ("189,00 €", '<span class="stock">Sold out</span>', "none is left there"),
    ],
)
def test_a_page_whose_price_is_not_used_says_why(
    run: Any, site: tuple[Path, str], price: str, words: str, problem: str
) -> None:
    folder, address = site
    (folder / "x.html").write_text(PAGE.format(price=price, words=words), "utf-8")
    said = run("competitors", "add", "L-1", f"{address}/x.html")
    assert "Its price is not used" in said
    assert problem in said


def test_an_unknown_product_is_not_tracked(run: Any, site: tuple[Path, str]) -> None:
    assert "L-9" in run("competitors", "add", "L-9", f"{site[1]}/x.html", fails=1)
    assert json.loads(run("competitors", "list", "--json"))["items"] == []
