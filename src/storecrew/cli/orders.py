"""`storecrew orders`: the order ledger from the shell."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from storecrew.cli.descriptions import describe
from storecrew.cli.options import DataDir, Json, Page, PerPage
from storecrew.cli.output import (
    counted,
    fail,
    handle_errors,
    show_fields,
    show_json,
    show_result,
    show_table,
)
from storecrew.cli.session import person, read_settings, with_books, with_plane
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.app import Plane
    from storecrew.app.shop_books import ShopBooks
    from storecrew.domain.actions import Action
    from storecrew.domain.control.audit import AuditEntry
    from storecrew.domain.control.proposals import Outcome
    from storecrew.domain.shop.orders import Order

app = typer.Typer(no_args_is_help=True, help="Place orders and take them through their states.")

OrderId = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="The order's number.")]
Key = Annotated[
    str, typer.Option("--key", help="Idempotency key: the same one acts once.", show_default="new")
]
Reason = Annotated[str, typer.Option(help="Why.")]


@app.command("list")
@handle_errors
def list_(
    status: Annotated[str, typer.Option(help="Only orders in this state.")] = "",
    held: Annotated[
        bool, typer.Option("--held", help="Only orders that are held until you release them.")
    ] = False,
    page: Page = 1,
    per_page: PerPage = 50,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List orders, newest first.

    Example: storecrew orders list --status awaiting_payment

    Example: storecrew orders list --held
    """
    from storecrew.domain.codec import decode  # costs what `--help` need not pay
    from storecrew.domain.shop.orders import OrderQuery, OrderStatus

    filter_status = decode(OrderStatus, status, field="--status") if status else None
    query = OrderQuery(
        status=filter_status, held=True if held else None, page=page, per_page=per_page
    )
    found = with_books(data_dir, lambda p: p.store.orders(query))
    if as_json:
        show_json({"items": found.items, "page": page, "per_page": per_page, "total": found.total})
        return
    rows = [
        (
            o.id,
            f"{o.status}, held: {o.held}" if o.held else o.status,
            o.total,
            o.customer or "",
            f"{o.placed_at:%Y-%m-%d %H:%M}",
        )
        for o in found.items
    ]
    title = counted(found.total, "order", page, per_page)
    show_table(title, ("order", "status", "total", "customer", "placed"), rows)


@app.command()
@handle_errors
def show(order: OrderId, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show one order with its history: what happened to it, who did it, and the result.

    Example: storecrew orders show 1
    """

    from storecrew.domain.codec import encode  # costs what `--help` need not pay
    from storecrew.domain.control.audit import AuditFilter

    async def work(plane: "Plane") -> "tuple[Order, Sequence[AuditEntry]]":
        only = AuditFilter(subject=f"order:{order}")
        newest = await plane.journal.audit(only=only, page=1, per_page=_HISTORY)
        return await plane.store.order(order), newest.items[::-1]

    found, history = with_plane(data_dir, work)
    if as_json:
        show_json({**encode(found), "history": history})
        return
    lines = {f"  {line.sku}": f"{line.quantity} at {line.unit_price}" for line in found.lines}
    show_fields(
        {
            "order": found.id,
            "status": found.status,
            "held": found.held or "no",
            "customer": found.customer or "not named",
            "total": found.total,
            "paid": found.paid,
            "placed": f"{found.placed_at:%Y-%m-%d %H:%M} UTC",
            **({"tracking": found.tracking} if found.tracking else {}),
            **lines,
        }
    )
    rows = [
        (
            f"{entry.at:%Y-%m-%d %H:%M}",
            entry.actor.removeprefix("agent:"),
            describe(entry.action),
            entry.result,
            entry.reason if entry.kind == "proposal" else "",
        )
        for entry in history
    ]
    show_table("history", ("at", "who", "what", "result", "why"), rows)


_HISTORY = 100
"""Entries of an order's history that are shown, the newest."""


@app.command()
@handle_errors
def submit(
    text: Annotated[str, typer.Argument(help="The order, as `Name:quantity, …`.")],
    customer: Annotated[str, typer.Option(help="Who orders.")] = "",
    offer: Annotated[
        str, typer.Option(help="A discount as `code:NAME`, or a bundle as `bundle:NAME`.")
    ] = "",
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Place an order: all lines reserved, or nothing.

    Example: storecrew orders submit "Product A:5, Product B:10" --customer ada
    """
    from storecrew.domain.shop.orders import Line, PlaceOrder, parse_order

    lines = tuple(Line(sku=each.name, quantity=each.quantity) for each in parse_order(text))
    action = PlaceOrder(lines=lines, customer=customer or None, order_text=text, **_offer(offer))
    outcome = apply(action, data_dir, key)
    number = outcome.detail["order_id"]
    show_result(
        as_json,
        {**outcome.detail, "id": number},
        f"Order {number} is received, its units reserved.",
    )


def _offer(text: str) -> dict[str, str]:
    """Read `code:NAME` or `bundle:NAME`."""
    kind, colon, name = text.partition(":")
    if text and (not colon or kind not in ("code", "bundle") or not name):
        raise typer.BadParameter("is code:NAME or bundle:NAME", param_hint="--offer")
    return {kind: name} if text else {}


@app.command()
@handle_errors
def approve(order: OrderId, key: Key = "", data_dir: DataDir = None, as_json: Json = False) -> None:
    """Approve a received order; it then awaits payment.

    Example: storecrew orders approve 1
    """
    from storecrew.domain.shop.orders import ApproveOrder

    _move(ApproveOrder(order_id=order), data_dir, key, as_json)


@app.command()
@handle_errors
def pay(
    order: OrderId,
    reference: Annotated[str, typer.Option(help="The payment's reference, never used before.")],
    amount: Annotated[str, typer.Option(help="What came in.", show_default="the total")] = "",
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Record an order's full payment.

    Example: storecrew orders pay 1 --reference bank-2026-001 --amount 25.00
    """
    from storecrew.domain.codec import decode
    from storecrew.domain.money import Money
    from storecrew.domain.shop.payments import CapturePayment

    currency = read_settings(data_dir).store.currency
    given = {"amount": amount, "currency": currency}
    money = decode(Money, given, field="--amount") if amount else None
    action = CapturePayment(order_id=order, reference=reference, amount=money)
    _move(action, data_dir, key, as_json)


@app.command()
@handle_errors
def fulfil(
    order: OrderId,
    tracking: Annotated[
        str, typer.Option(help="The carrier's number of the parcel, for the customer.")
    ] = "",
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Hand a paid order to the carrier.

    Example: storecrew orders fulfil 1 --tracking JD014600006281230704
    """
    from storecrew.domain.shop.orders import FulfilOrder

    _move(FulfilOrder(order_id=order, tracking=tracking), data_dir, key, as_json)


@app.command("to-pack")
@handle_errors
def to_pack(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List what has to be packed and sent: paid orders with their lines, and the units in all.

    Example: storecrew orders to-pack
    """
    from storecrew.domain.shop.orders import Line, Lines, orders_to_pack

    async def work(plane: "ShopBooks") -> "tuple[list[Order], dict[str, str]]":
        found = orders_to_pack(await plane.store.open_orders())
        skus = {line.sku for order in found for line in order.lines}
        return found, {p.sku: p.name for p in await plane.store.products(sorted(skus))}

    found, names = with_books(data_dir, work)
    if as_json:
        show_json(found)
        return
    rows = [
        (order.id, order.customer or "", f"{line.quantity} × {names.get(line.sku, line.sku)}")
        for order in found
        for line in order.lines
    ]
    show_table(f"{plural(len(found), 'order')} to pack", ("order", "customer", "line"), rows)
    lines = [Line(sku=line.sku, quantity=line.quantity) for o in found for line in o.lines]
    picks = [(x.sku, names.get(x.sku, ""), x.quantity) for x in Lines.merge_lines(lines).items]
    if picks:
        show_table("from the shelf", ("product", "name", "units"), picks)


@app.command()
@handle_errors
def deliver(order: OrderId, key: Key = "", data_dir: DataDir = None, as_json: Json = False) -> None:
    """Record that the parcel arrived.

    Example: storecrew orders deliver 1
    """
    from storecrew.domain.shop.orders import CompleteDelivery

    _move(CompleteDelivery(order_id=order), data_dir, key, as_json)


@app.command("return")
@handle_errors
def take_back(
    order: OrderId,
    line: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this line, as `Name:quantity`; may be repeated.", show_default="all"
        ),
    ] = None,
    reason: Reason = "",
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Take a delivered order back, whole or in part: units restocked, value refunded.

    Example: storecrew orders return 1 --line "Product A:1" --reason "arrived broken"
    """
    from storecrew.domain.shop.orders import Line, parse_order
    from storecrew.domain.shop.returns import AcceptReturn

    parsed = parse_order(", ".join(line)) if line else ()
    lines = tuple(Line(sku=each.name, quantity=each.quantity) for each in parsed)
    _move(AcceptReturn(order_id=order, lines=lines, reason=reason), data_dir, key, as_json)


@app.command()
@handle_errors
def cancel(
    order: OrderId,
    reason: Reason = "",
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Call an unfulfilled order off: reservation released, payment refunded.

    Example: storecrew orders cancel 1 --reason "ordered twice"
    """
    from storecrew.domain.shop.orders import CancelOrder

    _move(CancelOrder(order_id=order, reason=reason), data_dir, key, as_json)


@app.command()
@handle_errors
def hold(
    order: OrderId,
    reason: Annotated[str, typer.Option(help="Why a person has to look.")],
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Keep an open order from going on.

    Example: storecrew orders hold 1 --reason "the address looks odd"
    """
    from storecrew.domain.shop.orders import HoldOrder

    apply(HoldOrder(order_id=order, reason=reason), data_dir, key)
    _held(order, reason, as_json)


@app.command()
@handle_errors
def release(order: OrderId, key: Key = "", data_dir: DataDir = None, as_json: Json = False) -> None:
    """Let a held order go on.

    Example: storecrew orders release 1
    """
    from storecrew.domain.shop.orders import ReleaseOrder

    apply(ReleaseOrder(order_id=order), data_dir, key)
    _held(order, "", as_json)


def _held(order: int, reason: str, as_json: bool) -> None:
    show_result(
        as_json,
        {"order_id": order, "held": reason},
        f"Order {order} is held: {reason}." if reason else f"Order {order} goes on.",
    )


def apply(action: "Action", data_dir: Path | None, key: str = "") -> "Outcome":
    """Do the action once under the key, or end with the store's reason."""
    key = f"cli/{key or uuid4().hex}"
    outcome = with_books(data_dir, lambda p: p.store.apply(action, key=key, actor=person()))
    if not outcome.applied:
        fail(outcome.message)
    return outcome


def _move(action: "Action", data_dir: Path | None, key: str, as_json: bool) -> None:
    outcome = apply(action, data_dir, key)
    show_result(
        as_json,
        outcome.detail,
        f"Order {outcome.detail['order_id']} is {outcome.detail['status']}.",
    )
