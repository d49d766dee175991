"""Writes imported history: products, then finished orders, then what came back.

Each function is one transaction and adds only what is not there yet, so an import that was
killed goes on where it stopped, and one that is repeated adds nothing. History is no news: no
facts leave for the agents, and the stock ledger is opened, not moved.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.shop.inventory import DEFAULT_WAREHOUSE
from storecrew.domain.shop.orders import OrderStatus
from storecrew.stores.sql.handlers.purchasing import DEFAULT_LEAD_DAYS, DEFAULT_SUPPLIER
from storecrew.stores.sql.importing.estimates import EstimatedProduct
from storecrew.stores.sql.importing.history import Invoice, RejectedRow
from storecrew.stores.sql.importing.units import ACTOR, CUSTOMER, INVOICE, PRODUCT, keys, note
from storecrew.stores.sql.locking import chunks
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import dumps

_STEPS = (
    (None, OrderStatus.RECEIVED),
    (OrderStatus.RECEIVED, OrderStatus.APPROVED),
    (OrderStatus.APPROVED, OrderStatus.AWAITING_PAYMENT),
    (OrderStatus.AWAITING_PAYMENT, OrderStatus.AWAITING_DELIVERY),
    (OrderStatus.AWAITING_DELIVERY, OrderStatus.DELIVERED),
)
_ORDER_IDS = sa.select(t.orders.c.external_id, t.orders.c.id).where(
    t.orders.c.external_id.in_(sa.bindparam("among", expanding=True))
)


def write_products(
    connection: Connection,
    guesses: Sequence[EstimatedProduct],
    *,
    import_id: int,
    currency: str,
    now: datetime,
) -> tuple[int, int]:
    """Add unknown products with opening stock; return how many, and how many services."""
    known = existing_orders(connection, t.products.c.sku, (guess.sku for guess in guesses))
    new = [guess for guess in guesses if guess.sku not in known]
    if not new:
        return 0, 0
    _put_supplier(connection)
    note(connection, import_id, PRODUCT, keys(guess.sku for guess in new))
    connection.execute(sa.insert(t.products), [_product(guess, currency) for guess in new])
    connection.execute(
        sa.insert(t.price_history),
        [
            {"product": g.sku, "previous_minor": None, "price_minor": g.price, "at": g.last_sold}
            for g in new
        ],
    )
    goods = [guess for guess in new if guess.on_hand is not None]
    if goods:
        connection.execute(sa.insert(t.stock), [_shelf(guess) for guess in goods])
        connection.execute(sa.insert(t.stock_history), [_opening(guess, now) for guess in goods])
    return len(goods), len(new) - len(goods)


def write_customers(connection: Connection, customers: Iterable[str], import_id: int) -> int:
    """Add unknown customers, without marketing consent; return how many."""
    ids = sorted(set(customers))
    known = existing_orders(connection, t.customers.c.id, ids)
    rows = [
        {"id": c, "name": c, "email": None, "marketing_consent": False, "locale": "en"}
        for c in ids
        if c not in known
    ]
    if rows:
        connection.execute(sa.insert(t.customers), rows)
        note(connection, import_id, CUSTOMER, keys(c for c in ids if c not in known))
    return len(rows)


def write_orders(
    connection: Connection, invoices: Sequence[Invoice], currency: str, import_id: int
) -> tuple[int, int]:
    """Add these invoices as delivered, paid orders; return how many, and how many lines."""
    known = existing_orders(connection, t.orders.c.external_id, (i.number for i in invoices))
    new = [invoice for invoice in invoices if invoice.number not in known]
    if not new:
        return 0, 0
    note(connection, import_id, INVOICE, {i.number: i.fingerprint for i in new})
    lines = {invoice.number: invoice.lines() for invoice in new}
    totals = {
        number: sum(price * units for (_, price), units in of_invoice.items())
        for number, of_invoice in lines.items()
    }
    connection.execute(
        sa.insert(t.orders),
        [
            _order(invoice, lines[invoice.number], totals[invoice.number], currency)
            for invoice in new
        ],
    )
    ids = _ids(connection, [invoice.number for invoice in new])
    items = [
        {"order_id": ids[number], "product": sku, "quantity": units, "unit_price_minor": price}
        for number, of_invoice in lines.items()
        for (sku, price), units in of_invoice.items()
    ]
    connection.execute(sa.insert(t.order_items), items)
    connection.execute(
        sa.insert(t.order_history), [step for i in new for step in _steps(ids[i.number], i.at)]
    )
    connection.execute(
        sa.insert(t.payments),
        [
            {
                "order_id": ids[i.number],
                "reference": f"import:{i.number}",
                "amount_minor": totals[i.number],
                "at": i.at,
            }
            for i in new
        ],
    )
    return len(new), len(items)


def write_rejects(connection: Connection, source: str, rejects: Sequence[RejectedRow]) -> None:
    """Keep the full list of unusable rows of this file."""
    connection.execute(sa.delete(t.import_rejects).where(t.import_rejects.c.source == source))
    rows = [
        {"source": source, "row": reject.number, "reason": reject.reason, "content": reject.content}
        for reject in rejects
    ]
    if rows:
        connection.execute(sa.insert(t.import_rejects), rows)


def existing_orders(
    connection: Connection, column: sa.Column[Any], values: Iterable[str]
) -> set[str]:
    """Return those of the values that the column has."""
    found: set[str] = set()
    for among in chunks(set(values)):
        found.update(connection.scalars(sa.select(column).where(column.in_(among))))
    return found


def _put_supplier(connection: Connection) -> None:
    if not existing_orders(connection, t.suppliers.c.id, [DEFAULT_SUPPLIER]):
        lead = {"lead_time_days": DEFAULT_LEAD_DAYS, "lead_time_sd": 0.0}
        supplier = {"id": DEFAULT_SUPPLIER, "name": DEFAULT_SUPPLIER, **lead}
        connection.execute(sa.insert(t.suppliers), supplier)


def _product(guess: EstimatedProduct, currency: str) -> dict[str, Any]:
    goods = guess.on_hand is not None
    return {
        "sku": guess.sku,
        "name": guess.name,
        "price_minor": guess.price,
        "cost_minor": guess.cost,
        "currency": currency,
        "supplier": DEFAULT_SUPPLIER if goods else None,
        "pack_size": 1,
        "stocked": goods,
        "assumed": dumps(sorted(guess.assumed)),
    }


def _shelf(guess: EstimatedProduct) -> dict[str, Any]:
    place = {"product": guess.sku, "warehouse": DEFAULT_WAREHOUSE}
    return {**place, "on_hand": guess.on_hand, "reserved": 0}


def _opening(guess: EstimatedProduct, now: datetime) -> dict[str, Any]:
    return {
        "product": guess.sku,
        "warehouse": DEFAULT_WAREHOUSE,
        "quantity_change": guess.on_hand,
        "new_quantity": guess.on_hand,
        "reason": "opening stock" + (" (assumed)" if "stock" in guess.assumed else ""),
        "timestamp": now,
        "reference": ACTOR,
    }


def _order(
    invoice: Invoice, lines: dict[tuple[str, int], int], total: int, currency: str
) -> dict[str, Any]:
    return {
        "order_text": ", ".join(f"{sku}:{units}" for (sku, _), units in lines.items()),
        "status": OrderStatus.DELIVERED,
        "timestamp": invoice.at,
        "agent": ACTOR,
        "details": f"invoice {invoice.number}",
        "customer": invoice.customer,
        "total_minor": total,
        "paid_minor": total,
        "currency": currency,
        "updated_at": invoice.at,
        "imported": True,
        "external_id": invoice.number,
        "effect_key": None,
    }


def _ids(connection: Connection, numbers: Sequence[str]) -> dict[str, int]:
    return {
        number: order_id
        for among in chunks(numbers)
        for number, order_id in connection.execute(_ORDER_IDS, {"among": among})
    }


def _steps(order_id: int, at: datetime) -> Iterator[dict[str, Any]]:
    for previous, status in _STEPS:
        step = {"order_id": order_id, "previous": previous, "status": status}
        yield {**step, "at": at, "actor": ACTOR}
