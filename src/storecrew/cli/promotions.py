"""`storecrew offers`: discount codes, bundles, what was suggested, and ways to pay."""

from typing import Annotated

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.orders import Key, apply
from storecrew.cli.output import handle_errors, show_json, show_table
from storecrew.cli.session import read_settings, with_plane

app = typer.Typer(no_args_is_help=True, help="See and set discount codes, bundles, ways to pay.")

Products = Annotated[list[str], typer.Argument(help="SKUs.")]


@app.command("list")
@handle_errors
def list_(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List discounts that have not ended, bundles, suggested products, and ways to pay.

    Example: storecrew offers list
    """
    discounts = with_plane(data_dir, lambda p: p.store.discounts(ending_after=p.clock.now()))
    bundles = with_plane(data_dir, lambda p: p.store.bundles())
    suggestions = with_plane(data_dir, lambda p: p.store.product_suggestions())
    methods = with_plane(data_dir, lambda p: p.store.payment_methods())
    if as_json:
        found = {"discounts": discounts, "bundles": bundles, "suggestions": suggestions}
        show_json({**found, "payment_methods": methods})
        return
    rows: list[tuple[object, ...]] = [
        ("code", d.code, f"{d.percent} %", f"{', '.join(d.skus)}; until {d.ends_at:%Y-%m-%d}")
        for d in discounts
    ]
    rows += [("bundle", b.name, str(b.price), ", ".join(b.skus)) for b in bundles]
    rows += [("suggested", s.name, "", s.reason) for s in suggestions]
    rows += [("way to pay", m, "offered" if on else "off", "") for m, on in methods.items()]
    show_table(f"{len(rows)} offers", ("what", "name", "terms", "for"), rows)


@app.command()
@handle_errors
def discount(  # noqa: PLR0913 - options are read by name, like a form
    code: Annotated[str, typer.Argument(help="What customers type in.")],
    percent: Annotated[str, typer.Argument(help="Per cent off, such as 10 or 7.5.")],
    products: Products,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it holds.")] = 14,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Lower prices for who names a code, from now on.

    Example: storecrew offers discount SPRING 10 MUG-1 MUG-2 --days 14
    """
    from datetime import UTC, datetime, timedelta

    from storecrew.domain.codec import decode
    from storecrew.domain.shop.promotions import CreateDiscount

    now = datetime.now(UTC)
    given = {"code": code, "percent": percent, "skus": products, "starts_at": now.isoformat()}
    ends = (now + timedelta(days=days)).isoformat()
    apply(decode(CreateDiscount, {**given, "ends_at": ends}), data_dir, key)
    _said(as_json, {"code": code, "ends_at": ends}, f"{code} takes {percent} % off, {days} days.")


@app.command()
@handle_errors
def end(
    code: Annotated[str, typer.Argument(help="The code.")],
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """End a code now; orders placed with it stay.

    Example: storecrew offers end SPRING
    """
    from storecrew.domain.shop.promotions import EndDiscount

    apply(EndDiscount(code=code), data_dir, key)
    _said(as_json, {"code": code, "status": "ended"}, f"{code} holds no longer.")


@app.command()
@handle_errors
def bundle(
    name: Annotated[str, typer.Argument(help="The bundle's name.")],
    price: Annotated[str, typer.Argument(help="Of one of each product, such as 17.90.")],
    products: Products,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Offer one of each of these products for a price.

    Example: storecrew offers bundle breakfast 17.90 MUG-1 PLATE-1
    """
    from storecrew.domain.codec import decode
    from storecrew.domain.shop.promotions import OfferBundle

    money = {"amount": price, "currency": read_settings(data_dir).store.currency}
    action = decode(OfferBundle, {"name": name, "skus": products, "price": money})
    apply(action, data_dir, key)
    _said(as_json, {"name": name, "price": money}, f"{name} is offered for {action.price}.")


@app.command()
@handle_errors
def withdraw(
    name: Annotated[str, typer.Argument(help="The bundle's name.")],
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Offer a bundle no longer.

    Example: storecrew offers withdraw breakfast
    """
    from storecrew.domain.shop.promotions import WithdrawBundle

    apply(WithdrawBundle(name=name), data_dir, key)
    _said(as_json, {"name": name, "status": "withdrawn"}, f"{name} is offered no longer.")


@app.command("payment-method")
@handle_errors
def payment_method(
    method: Annotated[str, typer.Argument(help="The way to pay, such as card.")],
    off: Annotated[bool, typer.Option("--off", help="Offer it no longer.")] = False,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Offer a way to pay, or with --off offer it no longer.

    Example: storecrew offers payment-method card --off
    """
    from storecrew.domain.shop.payments import SetPaymentMethod

    apply(SetPaymentMethod(method=method, enabled=not off), data_dir, key)
    state = "offered no longer" if off else "offered"
    _said(as_json, {"method": method, "enabled": not off}, f"{method} is {state}.")


def _said(as_json: bool, content: dict[str, object], sentence: str) -> None:
    if as_json:
        show_json(content)
    else:
        print(sentence)
