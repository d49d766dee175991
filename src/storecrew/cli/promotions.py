"""`storecrew discounts` and `storecrew bundles`: what is offered below the list price."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from storecrew.cli.options import Anyway, DataDir, Json
from storecrew.cli.orders import Key, apply
from storecrew.cli.output import fail, handle_errors, show_json, show_result, show_table
from storecrew.cli.session import person, read_settings, with_books
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.app.shop_books import ShopBooks
    from storecrew.domain.actions import Action
    from storecrew.domain.control.proposals import Outcome

discounts = typer.Typer(no_args_is_help=True, help="See, create and end discount codes.")
bundles = typer.Typer(no_args_is_help=True, help="See, offer and withdraw bundles.")

Products = Annotated[list[str], typer.Argument(help="SKUs.")]


@discounts.command("list")
@handle_errors
def list_discounts(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List discounts that have not ended.

    Example: storecrew discounts list
    """
    found = with_books(data_dir, lambda p: p.store.discounts(ending_after=p.clock.now()))
    if as_json:
        show_json(found)
        return
    rows = [
        (each.code, f"{each.percent} %", f"{each.ends_at:%Y-%m-%d}", ", ".join(each.skus))
        for each in found
    ]
    show_table(plural(len(rows), "discount"), ("code", "off", "until", "products"), rows)


@bundles.command("list")
@handle_errors
def list_bundles(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the bundles that are offered.

    Example: storecrew bundles list
    """
    found = with_books(data_dir, lambda p: p.store.bundles())
    if as_json:
        show_json(found)
        return
    rows = [(each.name, str(each.price), ", ".join(each.skus)) for each in found]
    show_table(plural(len(rows), "bundle"), ("bundle", "price", "products"), rows)


@discounts.command()
@handle_errors
def create(  # noqa: PLR0913 - options are read by name, like a form
    code: Annotated[str, typer.Argument(help="What customers type in.")],
    percent: Annotated[str, typer.Argument(help="Per cent off, such as 10 or 7.5.")],
    products: Products,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it holds.")] = 14,
    anyway: Anyway = False,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Lower prices for who names a code, from now on.

    Example: storecrew discounts create SPRING 10 MUG-1 MUG-2 --days 14
    """
    from datetime import UTC, datetime, timedelta

    from storecrew.domain.codec import decode
    from storecrew.domain.shop.promotions import CreateDiscount

    now = datetime.now(UTC)
    given = {"code": code, "percent": percent, "skus": products, "starts_at": now.isoformat()}
    ends = (now + timedelta(days=days)).isoformat()
    _offer(decode(CreateDiscount, {**given, "ends_at": ends}), data_dir, key, anyway=anyway)
    show_result(
        as_json, {"code": code, "ends_at": ends}, f"{code} takes {percent} % off, {days} days."
    )


@discounts.command()
@handle_errors
def end(
    code: Annotated[str, typer.Argument(help="The code.")],
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """End a code now; orders placed with it stay.

    Example: storecrew discounts end SPRING
    """
    from storecrew.domain.shop.promotions import EndDiscount

    apply(EndDiscount(code=code), data_dir, key)
    show_result(as_json, {"code": code, "status": "ended"}, f"{code} holds no longer.")


@bundles.command()
@handle_errors
def offer(  # noqa: PLR0913 - options are read by name, like a form
    name: Annotated[str, typer.Argument(help="The bundle's name.")],
    price: Annotated[str, typer.Argument(help="Of one of each product, such as 17.90.")],
    products: Products,
    anyway: Anyway = False,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Offer one of each of these products for a price.

    Example: storecrew bundles offer breakfast 17.90 MUG-1 PLATE-1
    """
    from storecrew.domain.codec import decode
    from storecrew.domain.shop.promotions import OfferBundle

    money = {"amount": price, "currency": read_settings(data_dir).store.currency}
    action = decode(OfferBundle, {"name": name, "skus": products, "price": money})
    _offer(action, data_dir, key, anyway=anyway)
    show_result(as_json, {"name": name, "price": money}, f"{name} is offered for {action.price}.")


@bundles.command()
@handle_errors
def withdraw(
    name: Annotated[str, typer.Argument(help="The bundle's name.")],
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Offer a bundle no longer.

    Example: storecrew bundles withdraw breakfast
    """
    from storecrew.domain.shop.promotions import WithdrawBundle

    apply(WithdrawBundle(name=name), data_dir, key)
    show_result(as_json, {"name": name, "status": "withdrawn"}, f"{name} is offered no longer.")


def _offer(action: "Action", data_dir: Path | None, key: str, *, anyway: bool) -> None:
    """Apply what lowers a price; below the margin floor only with `anyway`."""

    async def work(books: "ShopBooks") -> "Outcome":
        from storecrew.app.floor_check import check_floor  # costs what `--help` need not pay

        await check_floor(books, action, anyway=anyway)
        full = f"cli/{key or uuid4().hex}"
        return await books.store.apply(action, key=full, actor=person())

    outcome = with_books(data_dir, work)
    if not outcome.applied:
        fail(outcome.message)
