"""`storecrew stock`: levels, counted by hand or carried in a file."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.orders import Key
from storecrew.cli.output import fail, handle_errors, show_json, show_result, show_table
from storecrew.cli.session import person, read_settings, with_books
from storecrew.domain.errors import InvalidInput
from storecrew.domain.json_input import read_json
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.app.shop_books import ShopBooks
    from storecrew.domain.control.proposals import Outcome

app = typer.Typer(no_args_is_help=True, help="See, count, export and import stock levels.")

Warehouse = Annotated[str, typer.Option(help="Which warehouse.", show_default="as configured")]


@app.command("list")
@handle_errors
def list_(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the level of every product in every warehouse.

    Example: storecrew stock list
    """
    levels = with_books(data_dir, lambda p: p.store.stock())
    if as_json:
        show_json(levels)
        return
    rows = [(x.sku, x.warehouse, x.on_hand, x.reserved, x.available) for x in levels]
    columns = ("product", "warehouse", "on hand", "reserved", "available")
    show_table(plural(len(rows), "stock level"), columns, rows)


@app.command("set")
@handle_errors
def set_(
    product: Annotated[str, typer.Argument(help="The product's SKU or name.")],
    on_hand: Annotated[int, typer.Argument(min=0, help="Units counted.")],
    warehouse: Warehouse = "",
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Set a counted level; below what is reserved is refused.

    Example: storecrew stock set "Product A" 100
    """
    _set({product: on_hand}, warehouse, data_dir, key)
    show_result(as_json, {"product": product, "on_hand": on_hand}, f"{product}: {on_hand} on hand.")


@app.command("export")
@handle_errors
def export(
    file: Annotated[Path, typer.Argument(help="Where to, as JSON.")],
    warehouse: Warehouse = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write the levels of one warehouse to a file, as {product: quantity}.

    Example: storecrew stock export stock.json
    """
    place = warehouse or read_settings(data_dir).store.warehouse
    levels = with_books(data_dir, lambda p: _levels(p, place))
    beside = file.with_name(f".{file.name}.new")  # so that a crash leaves the old file whole
    try:
        beside.write_text(json.dumps(levels, ensure_ascii=False, indent=2) + "\n", "utf-8")
        os.replace(beside, file)
    except OSError as error:
        raise InvalidInput("FILE", f"cannot be written: {error.strerror}") from error
    _say(as_json, "exported", len(levels), file)


@app.command("import")
@handle_errors
def import_(
    file: Annotated[Path, typer.Argument(help="A file as `stock export` writes it.")],
    warehouse: Warehouse = "",
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Set every level in a file, all or none; a damaged file changes nothing.

    Example: storecrew stock import stock.json
    """
    levels = read_levels(file)
    _set(levels, warehouse, data_dir, key)
    _say(as_json, "imported", len(levels), file)


def read_levels(file: Path) -> dict[str, int]:
    """Return what the file says, or raise `InvalidInput` naming what is wrong with it."""
    try:
        content = read_json(file.read_bytes(), "FILE")
    except OSError as error:
        raise InvalidInput("FILE", f"cannot be read: {error.strerror}") from error
    if not isinstance(content, dict) or not content:
        raise InvalidInput("FILE", 'must hold {"product": quantity, …}')
    for product, quantity in content.items():
        if type(quantity) is not int or quantity < 0:
            raise InvalidInput(product, f"{quantity!r} is not a whole number of units")
    return content


async def _levels(books: "ShopBooks", warehouse: str) -> dict[str, int]:
    return {x.sku: x.on_hand for x in await books.store.stock() if x.warehouse == warehouse}


def _set(levels: dict[str, int], warehouse: str, data_dir: Path | None, key: str) -> None:
    """Set the levels of products, named by SKU or name; an unknown one is refused."""
    place = warehouse or read_settings(data_dir).store.warehouse

    async def count(books: "ShopBooks") -> "Outcome":
        from storecrew.domain.shop.catalog import ProductIndex  # costs what `--help` need not pay
        from storecrew.domain.shop.inventory import SetStock, StockCount

        catalogue = ProductIndex(await books.store.products())
        skus = {name: catalogue.find(name).sku for name in levels}
        counted = tuple(
            StockCount(sku=skus[name], on_hand=n, warehouse=place) for name, n in levels.items()
        )
        full = f"cli/{key or uuid4().hex}"
        return await books.store.apply(SetStock(levels=counted), key=full, actor=person())

    outcome = with_books(data_dir, count)
    if not outcome.applied:
        fail(outcome.message)


def _say(as_json: bool, verb: str, count: int, file: Path) -> None:
    show_result(as_json, {verb: count, "file": str(file)}, f"{count} levels {verb}: {file}")
