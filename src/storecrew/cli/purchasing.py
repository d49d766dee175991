"""`storecrew purchase-orders`: what suppliers owe."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.orders import Key, apply
from storecrew.cli.output import handle_errors, show_json, show_result, show_table
from storecrew.cli.session import with_plane
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storecrew.app.bootstrap import ControlPlane
    from storecrew.domain.actions import Action
    from storecrew.domain.control.proposals import PostponedPurchase


app = typer.Typer(no_args_is_help=True, help="See, receive, delay or call off purchases.")


PurchaseId = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="The purchase's number.")]


@app.command("list")
@handle_errors
def list_purchases(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List open purchases, oldest first.

    Example: storecrew purchase-orders list --all
    """
    found = with_plane(
        data_dir, lambda p: p.store.purchase_orders(status=None if every else "open")
    )
    if as_json:
        show_json(found)
        return
    rows = [
        (p.id, p.sku, p.quantity, p.supplier, p.warehouse, p.status, f"{p.due_at:%Y-%m-%d}")
        for p in found
    ]
    columns = ("purchase", "product", "units", "supplier", "to", "status", "due")
    show_table(plural(len(rows), "purchase"), columns, rows)


@app.command()
@handle_errors
def create(
    product: Annotated[str, typer.Argument(help="The product, by name or SKU.")],
    quantity: Annotated[int, typer.Argument(min=1, help="Units to buy.")],
    warehouse: Annotated[str, typer.Option(help="Where they are delivered.")] = "main",
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Buy from the product's supplier; one purchase may be open per product and warehouse.

    Example: storecrew purchase-orders create mug 40
    """
    from storecrew.domain.shop.purchasing import CreatePurchaseOrder

    action = CreatePurchaseOrder(sku=product, quantity=quantity, warehouse=warehouse)
    bought = apply(action, data_dir, key)
    due = bought.detail["due_at"][:10]
    sentence = (
        f"Purchase {bought.detail['purchase_id']} from {bought.detail['supplier']}, due {due}."
    )
    show_result(as_json, {**bought.detail, "status": "open"}, sentence)


@app.command()
@handle_errors
def postponed(
    day: Annotated[
        str, typer.Option(help="A day of the shop, as 2026-11-30.", show_default="today")
    ] = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List what the crew would buy and did not ask about, as the day's budget is used up.

    What brings most for its cost comes first. Raise policy.purchase_budget_per_day to have more
    bought or asked about, or buy by hand.

    Example: storecrew purchase-orders postponed
    """
    from storecrew.domain.money import Money

    async def work(
        plane: "ControlPlane",
    ) -> "tuple[Sequence[PostponedPurchase], dict[str, str], str]":
        found = await plane.journal.postponed_purchases(day or plane.crew.day.name)
        products = await plane.store.products([each.sku for each in found])
        names = {each.sku: each.name for each in products}
        return found, names, plane.settings.store.currency

    found, names, currency = with_plane(data_dir, work)
    if as_json:
        show_json(found)
        return
    rows = [
        (
            each.sku,
            names.get(each.sku, ""),
            each.quantity,
            Money.from_minor(each.cost, currency),
            each.effect.expected if each.effect else "not known",
        )
        for each in found
    ]
    total = Money.from_minor(sum(each.cost for each in found), currency)
    show_table(
        f"{plural(len(rows), 'purchase')} postponed, {total} in all",
        ("product", "name", "units", "cost", "benefit"),
        rows,
    )


@app.command()
@handle_errors
def receive(
    purchase: PurchaseId,
    quantity: Annotated[
        int | None, typer.Option(min=1, help="Units delivered.", show_default="all")
    ] = None,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Put what a supplier delivered on the shelf.

    Example: storecrew purchase-orders receive 1
    """
    from storecrew.domain.shop.purchasing import ReceivePurchaseOrder

    action = ReceivePurchaseOrder(purchase_id=purchase, quantity=quantity)
    _settled(action, purchase, "received", data_dir, key, as_json=as_json)


@app.command()
@handle_errors
def cancel(
    purchase: PurchaseId, key: Key = "", data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Call a purchase off.

    Example: storecrew purchase-orders cancel 1
    """
    from storecrew.domain.shop.purchasing import CancelPurchaseOrder

    _settled(CancelPurchaseOrder(purchase_id=purchase), purchase, "cancelled", data_dir, key,
             as_json=as_json)  # fmt: skip


@app.command()
@handle_errors
def delay(
    purchase: PurchaseId,
    due_at: Annotated[str, typer.Argument(help="When it comes: 2026-12-24 or with a time.")],
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Record that a purchase arrives at another time; the crew plans anew.

    Example: storecrew purchase-orders delay 1 2026-12-24
    """
    from datetime import UTC

    from storecrew.domain.errors import InvalidInput
    from storecrew.domain.shop.purchasing import DelayPurchaseOrder

    try:
        moment = datetime.fromisoformat(due_at)
    except ValueError:
        raise InvalidInput("due_at", f"{due_at!r} is no date of the form 2026-12-24") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    action = DelayPurchaseOrder(purchase_id=purchase, due_at=aware)
    _settled(action, purchase, "delayed", data_dir, key, as_json=as_json)


def _settled(
    action: "Action",
    purchase: int,
    status: str,
    data_dir: DataDir,
    key: str,
    *,
    as_json: bool,
) -> None:
    apply(action, data_dir, key)
    show_result(
        as_json, {"purchase_id": purchase, "status": status}, f"Purchase {purchase} is {status}."
    )
