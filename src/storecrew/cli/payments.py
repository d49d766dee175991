"""`storecrew payment-methods`: the ways customers can pay."""

from typing import Annotated

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.orders import Key, apply
from storecrew.cli.output import handle_errors, show_json, show_result, show_table
from storecrew.cli.session import with_books
from storecrew.domain.plurals import plural

app = typer.Typer(no_args_is_help=True, help="See payment methods, switch them on and off.")


@app.command("list")
@handle_errors
def list_(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the payment methods that were ever used or set, and whether each is offered.

    Example: storecrew payment-methods list
    """
    found = with_books(data_dir, lambda p: p.store.payment_methods())
    if as_json:
        show_json(found)
        return
    rows = [(method, "yes" if enabled else "no") for method, enabled in found.items()]
    show_table(plural(len(rows), "payment method"), ("method", "offered"), rows)


@app.command("set")
@handle_errors
def set_(
    method: Annotated[str, typer.Argument(help="The payment method, such as card.")],
    off: Annotated[bool, typer.Option("--off", help="Offer it no longer.")] = False,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Offer a payment method, or with --off offer it no longer.

    Example: storecrew payment-methods set card --off
    """
    from storecrew.domain.shop.payments import SetPaymentMethod

    apply(SetPaymentMethod(method=method, enabled=not off), data_dir, key)
    state = "offered no longer" if off else "offered"
    show_result(as_json, {"method": method, "enabled": not off}, f"{method} is {state}.")
