"""`storecrew products`: what is for sale, at which price, and what is known of it."""

from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from storecrew.cli.options import Anyway, DataDir, Json, Page, PerPage
from storecrew.cli.orders import Key
from storecrew.cli.output import (
    counted,
    fail,
    handle_errors,
    show_fields,
    show_json,
    show_result,
    show_table,
)
from storecrew.cli.session import person, read_settings, with_books
from storecrew.domain.errors import InvalidInput
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.app.shop_books import ShopBooks
    from storecrew.domain.control.proposals import Outcome
    from storecrew.domain.money import Money
    from storecrew.domain.shop.catalog import Product

app = typer.Typer(no_args_is_help=True, help="See products, create them, and set their prices.")

Sku = Annotated[str, typer.Argument(help="The product's SKU.")]
Price = Annotated[str, typer.Option(help="What it sells for, as 9.90.", show_default="as it is")]
Cost = Annotated[str, typer.Option(help="What a unit costs the shop.", show_default="as it is")]
ProductName = Annotated[
    str, typer.Option(help="What people call it.", show_default="as it is, at first the SKU")
]
SupplierId = Annotated[str, typer.Option(help="Who delivers it.", show_default="as it is")]
PackSize = Annotated[
    int | None,
    typer.Option(min=1, help="Units in a supplier's pack.", show_default="as it is, at first 1"),
]
IsService = Annotated[
    bool, typer.Option("--service", help="A new product is a service, without stock.")
]

IsRetired = Annotated[
    bool | None,
    typer.Option("--retired/--for-sale", help="Sold no longer, or again.", show_default="as it is"),
]


@app.command("list")
@handle_errors
def list_(
    page: Page = 1, per_page: PerPage = 50, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """List products by SKU.

    Example: storecrew products list
    """
    found = with_books(data_dir, lambda p: p.store.products())
    items = found[(page - 1) * per_page : page * per_page]
    if as_json:
        show_json({"items": items, "page": page, "per_page": per_page, "total": len(found)})
        return
    rows = [(p.sku, p.name, p.price, p.cost or "", p.supplier or "") for p in items]
    columns = ("sku", "name", "price", "cost", "supplier")
    show_table(counted(len(found), "product", page, per_page), columns, rows)


@app.command()
@handle_errors
def show(sku: Sku, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show one product.

    Example: storecrew products show "Product A"
    """
    found = with_books(data_dir, lambda p: p.store.product(sku))
    if as_json:
        show_json(found)
        return
    show_fields(
        {
            "sku": found.sku,
            "name": found.name,
            "price": found.price,
            "cost": found.cost or "not known",
            "supplier": found.supplier or "not known",
            "pack size": found.pack_size,
            "stocked": "yes" if found.stocked else "no, a service or charge",
            "assumed": ", ".join(found.assumed) or "nothing",
            "retired": "yes, it cannot be ordered" if found.retired else "no",
        }
    )


@app.command()
@handle_errors
def suggestions(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List products that agents suggest to sell, newest first.

    Example: storecrew products suggestions
    """
    found = with_books(data_dir, lambda p: p.store.product_suggestions())
    if as_json:
        show_json(found)
        return
    rows = [(each.name, each.reason, each.source) for each in found]
    show_table(plural(len(rows), "suggestion"), ("product", "reason", "source"), rows)


@app.command("set")
@handle_errors
def set_(  # noqa: PLR0913 - options are read by name, like a form
    sku: Sku,
    price: Price = "",
    cost: Cost = "",
    name: ProductName = "",
    supplier: SupplierId = "",
    pack_size: PackSize = None,
    service: IsService = False,
    retired: IsRetired = None,
    anyway: Anyway = False,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Create a product, or change what you name of it.

    A price below the margin floor needs --anyway.

    Example: storecrew products set "Product A" --price 9.90 --cost 4.20
    """
    from storecrew.domain.shop.catalog import UpsertProduct

    currency = read_settings(data_dir).store.currency

    async def put(books: "ShopBooks") -> "Outcome":
        from storecrew.app.floor_check import check_floor  # costs what `--help` need not pay
        from storecrew.app.products import put_product

        known = next(iter(await books.store.products([sku])), None)
        action = UpsertProduct(
            sku=sku,
            name=name or (known.name if known else sku),
            price=_price(price, known, currency),
            cost=_money("--cost", cost, currency) if cost else None,
            supplier=supplier or None,
            pack_size=pack_size,
            stocked=False if service else None,
            retired=retired,
        )
        await check_floor(books, action, anyway=anyway)
        full = f"cli/{key or uuid4().hex}"
        return await put_product(books.store, action, key=full, actor=person())

    _tell(sku, with_books(data_dir, put), as_json)


def _tell(sku: str, outcome: "Outcome", as_json: bool) -> None:
    if not outcome.applied:
        fail(outcome.message)
    paid = outcome.after["price"]
    verb = "changed" if outcome.before else "created"
    sentence = f"{sku} is {verb}; it sells for {paid['amount']} {paid['currency']}."
    show_result(as_json, {"sku": sku, **outcome.after}, sentence)


def _price(text: str, known: "Product | None", currency: str) -> "Money":
    """Return the price a person named, or else the one that stands."""
    if text:
        price = _money("--price", text, currency)
    elif known is None:
        raise InvalidInput("--price", "a new product needs one")
    else:
        price = known.price
    if price.amount <= 0:
        raise InvalidInput("--price", "must be more than 0")
    return price


def _money(option: str, text: str, currency: str) -> "Money":
    from storecrew.domain.codec import decode  # costs what `--help` need not pay
    from storecrew.domain.money import Money

    try:
        money = decode(Money, {"amount": text, "currency": currency})
    except InvalidInput as error:
        raise InvalidInput(option, error.problem) from error
    if money.rounded() != money:
        raise InvalidInput(option, f"{text} has more decimals than {currency} has")
    return money
