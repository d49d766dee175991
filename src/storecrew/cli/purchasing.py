"""`storecrew purchase-orders`: what suppliers owe."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.orders import Key, apply
from storecrew.cli.output import handle_errors, show_json, show_result, show_table
from storecrew.cli.session import with_plane

if TYPE_CHECKING:
    from storecrew.domain.actions import Action


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
    show_table(f"{len(rows)} purchases", columns, rows)


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
