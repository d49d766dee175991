"""One transaction of the ledger: what it locked, and what it will write when its actions are done.

Actions check and change rows here, in memory; `flush` writes the sum of it in few statements.
An action that refuses has touched nothing, so the others of its batch go on.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import BulkStatement
from storecrew.domain.codec import encode
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop.customers import BackInStock
from storecrew.domain.shop.inventory import StockChanged
from storecrew.domain.shop.orders import OrderStatus
from storecrew.stores.sql.rows import OrderRow, ProductRow, PurchaseOrderRow, StockRow
from storecrew.stores.sql.schema import columns as c, tables as t

OUTBOX_LOCK = 0x6F7574
"""Postgres: writers share it while they number facts, so a reader never sees a gap to be filled."""

_INSERTS = {
    table.name: BulkStatement(sa.insert(table).inline()) for table in c.METADATA.sorted_tables
}
_WRITE_ORDER = tuple(name for name in _INSERTS if name not in ("applied_commands", "outbox"))


def _update(table: sa.Table, keys: Iterable[str], values: Iterable[str]) -> BulkStatement:
    match = [table.c[key] == sa.bindparam(f"at_{key}") for key in keys]
    changes: dict[str, Any] = {name: sa.bindparam(name) for name in values}
    return BulkStatement(sa.update(table).where(*match).values(changes))


_PRODUCT = _update(
    t.products,
    ("sku",),
    ("name", "price_minor", "cost_minor", "supplier", "pack_size", "stocked", "assumed", "retired"),
)
_STOCK_ROW = _update(t.stock, ("product", "warehouse"), ("on_hand", "reserved"))
_ORDER = _update(t.orders, ("id",), ("status", "paid_minor", "details", "updated_at", "held"))
_PURCHASE = _update(t.purchase_orders, ("id",), ("status", "received"))
_RELEASE = BulkStatement(
    sa.delete(t.reservations).where(t.reservations.c.order_id == sa.bindparam("at_order"))
)
_FORGET_RIVAL = sa.delete(t.competitor_prices).where(
    t.competitor_prices.c.product == sa.bindparam("sku"),
    t.competitor_prices.c.competitor == sa.bindparam("competitor"),
)
_WAITED_FOR = sa.select(t.back_in_stock_subscriptions.c.product).where(
    t.back_in_stock_subscriptions.c.product.in_(sa.bindparam("skus", expanding=True))
)
_SHARE_OUTBOX = sa.select(sa.func.pg_advisory_xact_lock_shared(OUTBOX_LOCK))


def dumps(value: Any) -> str:
    """Return JSON as the tables keep it."""
    return _JSON.encode(value)


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


@dataclass
class UnitOfWork:
    """Rows under work. Whatever is in these mappings is locked by this transaction."""

    connection: Connection
    now: datetime
    currency: str
    key: str = ""
    """Of the action under way."""
    actor: str = ""
    products: dict[str, ProductRow] = field(default_factory=dict[str, ProductRow])
    names: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """SKUs of the products that carry a name used by an order."""
    stock: dict[str, dict[str, StockRow]] = field(default_factory=dict[str, dict[str, StockRow]])
    """Per product, per warehouse."""
    orders: dict[int, OrderRow] = field(default_factory=dict[int, OrderRow])
    references: set[str] = field(default_factory=set[str])
    """Payment references seen before."""
    purchases: dict[int, PurchaseOrderRow] = field(default_factory=dict[int, PurchaseOrderRow])
    lead_times: dict[str, float] = field(default_factory=dict[str, float])
    """Days, per supplier."""
    competitor_prices: dict[tuple[str, str], Money] = field(
        default_factory=dict[tuple[str, str], Money]
    )
    consents: dict[str, bool] = field(default_factory=dict[str, bool])
    """Marketing consent of the customers named."""
    _rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    _products: dict[str, ProductRow] = field(default_factory=dict[str, ProductRow])
    _stock_rows: dict[tuple[str, str], StockRow] = field(
        default_factory=dict[tuple[str, str], StockRow]
    )
    _orders: dict[int, OrderRow] = field(default_factory=dict[int, OrderRow])
    _released: list[int] = field(default_factory=list[int])
    _competitor_prices: dict[tuple[str, str], Money | None] = field(
        default_factory=dict[tuple[str, str], Money | None]
    )

    def money(self, minor: int) -> Money:
        """Return so many minor units of the shop's currency."""
        return Money.from_minor(minor, self.currency)

    def json(self, minor: int | None) -> Any:
        """Return an amount as an outcome shows it."""
        return None if minor is None else encode(self.money(minor))

    def add(self, table: sa.Table, row: dict[str, Any]) -> None:
        """Write this row with the others."""
        self._rows.setdefault(table.name, []).append(row)

    def insert(self, statement: sa.Insert, row: Mapping[str, Any]) -> int:
        """Write this row now, and return the id that it was given."""
        return int(self.connection.execute(statement, row).scalar_one())

    @property
    def published(self) -> int:
        """How many events were recorded so far."""
        return len(self._rows.get("outbox", ()))

    def publish(self, event: Event) -> None:
        """Record the fact in the outbox, in the same transaction."""
        self.add(
            t.outbox,
            {
                "kind": type(event).__name__,
                "subject": event.subject,
                "event": dumps(encode(event)),
                "at": self.now,
                "actor": self.actor,
            },
        )

    def stock_row(self, product: str, warehouse: str) -> StockRow:
        """Return the shelf, an empty new one where there was none."""
        shelves = self.stock.setdefault(product, {})
        if (found := shelves.get(warehouse)) is None:
            found = shelves[warehouse] = StockRow(product, warehouse, stored=False)
        return found

    def adjust_on_hand(
        self, shelf: StockRow, change: int, reason: str, *, reserved: int = 0
    ) -> None:
        """Change the units on hand, and the reserved ones with them, with a ledger row."""
        shelf.on_hand += change
        shelf.reserved += reserved
        self._stock_rows[shelf.product, shelf.warehouse] = shelf
        self.add(
            t.stock_history,
            {
                "product": shelf.product,
                "warehouse": shelf.warehouse,
                "quantity_change": change,
                "new_quantity": shelf.on_hand,
                "reason": reason,
                "timestamp": self.now,
                "reference": self.key,
            },
        )
        if change:
            self.publish(
                StockChanged(
                    sku=shelf.product,
                    warehouse=shelf.warehouse,
                    change=change,
                    on_hand=shelf.on_hand,
                    reason=reason,
                )
            )

    def reserve(self, shelf: StockRow, quantity: int) -> None:
        """Promise units, or take a promise back (negative); they stay on the shelf."""
        shelf.reserved += quantity
        self._stock_rows[shelf.product, shelf.warehouse] = shelf

    def release(self, order: OrderRow) -> None:
        """Drop the order's reservation rows."""
        order.reserved.clear()
        self._released.append(order.id)

    def put_product(self, product: ProductRow) -> None:
        """Write the product as it now is."""
        self.products[product.sku] = product
        self._products[product.sku] = product

    def close_purchase(self, purchase: PurchaseOrderRow) -> None:
        """Write the purchase's end at once, so that the next one for its place may be opened."""
        end = {"status": purchase.status, "received": purchase.received}
        _PURCHASE.execute(self.connection, [{"at_id": purchase.id, **end}])

    def put_competitor_price(self, sku: str, rival: str, price: Money) -> None:
        """Record the competitor's observed price."""
        self.competitor_prices[sku, rival] = price
        self._competitor_prices[sku, rival] = price

    def forget_competitor_price(self, sku: str, rival: str) -> None:
        """Delete the competitor's observed price, if there is one."""
        self.competitor_prices.pop((sku, rival), None)
        self._competitor_prices[sku, rival] = None

    def transition(self, order: OrderRow, status: OrderStatus) -> None:
        """Take the order one step further, with a history row."""
        self.add_history(order.id, order.status, status)
        order.status = status
        self.put_order(order)

    def add_history(self, order_id: int, previous: OrderStatus | None, status: OrderStatus) -> None:
        """Record one step of an order."""
        row = {"order_id": order_id, "previous": previous, "status": status}
        self.add(t.order_history, {**row, "at": self.now, "actor": self.actor})

    def put_order(self, order: OrderRow) -> None:
        """Write the order as it now is."""
        self.orders[order.id] = order
        self._orders[order.id] = order

    def flush(self) -> None:
        """Write everything: first what others refer to, last the facts for the outbox."""
        self._notify_back_in_stock()
        self._flush_products()
        self._flush_stock_rows()
        self._flush_competitor_prices()
        for name in _WRITE_ORDER:
            _INSERTS[name].execute(self.connection, self._rows.get(name, ()))
        orders = self._orders.values()
        _ORDER.execute(self.connection, [_order_values(order, self.now) for order in orders])
        _RELEASE.execute(self.connection, [{"at_order": each} for each in self._released])
        _INSERTS["applied_commands"].execute(
            self.connection, self._rows.get("applied_commands", ())
        )
        self._flush_outbox()

    def _notify_back_in_stock(self) -> None:
        """Publish which sold-out products with waiting customers can be bought again."""
        back = []
        for sku in sorted({shelf.product for shelf in self._stock_rows.values()}):
            shelves = self.stock[sku].values()
            if sum(s.previous for s in shelves) <= 0 < sum(s.available for s in shelves):
                back.append(sku)
        if not back:
            return
        for sku in sorted(set(self.connection.scalars(_WAITED_FOR, {"skus": back}))):
            self.publish(BackInStock(sku=sku))

    def _flush_outbox(self) -> None:
        rows = self._rows.get("outbox", ())
        if rows and self.connection.dialect.name != "sqlite":
            self.connection.execute(_SHARE_OUTBOX)
        _INSERTS["outbox"].execute(self.connection, rows)

    def _flush_products(self) -> None:
        new = [_product_values(p) for p in self._products.values() if not p.stored]
        for row in new:
            row["currency"] = self.currency
        old = [p for p in self._products.values() if p.stored]
        _INSERTS["products"].execute(self.connection, new)
        changed = [{"at_sku": p.sku, **_product_values(p, new=False)} for p in old]
        _PRODUCT.execute(self.connection, changed)

    def _flush_stock_rows(self) -> None:
        new: list[dict[str, Any]] = []
        old: list[dict[str, Any]] = []
        for shelf in self._stock_rows.values():
            units = {"on_hand": shelf.on_hand, "reserved": shelf.reserved}
            if shelf.stored:
                at = {"at_product": shelf.product, "at_warehouse": shelf.warehouse}
                old.append({**at, **units})
            else:
                new.append({"product": shelf.product, "warehouse": shelf.warehouse, **units})
        _INSERTS["stock"].execute(self.connection, new)
        _STOCK_ROW.execute(self.connection, old)

    def _flush_competitor_prices(self) -> None:
        for (sku, rival), price in self._competitor_prices.items():
            self.connection.execute(_FORGET_RIVAL, {"sku": sku, "competitor": rival})
            if price is None:
                continue
            observation = {
                "amount": str(price.amount),
                "currency": price.currency,
                "seen_at": self.now,
            }
            self.add(t.competitor_prices, {"product": sku, "competitor": rival, **observation})


def _order_values(order: OrderRow, now: datetime) -> dict[str, Any]:
    return {
        "at_id": order.id,
        "status": order.status,
        "paid_minor": order.paid,
        "details": order.details,
        "updated_at": now,
        "held": order.held,
    }


def _product_values(product: ProductRow, *, new: bool = True) -> dict[str, Any]:
    values: dict[str, Any] = {"sku": product.sku} if new else {}
    return {
        **values,
        "name": product.name,
        "price_minor": product.price,
        "cost_minor": product.cost,
        "supplier": product.supplier,
        "pack_size": product.pack_size,
        "stocked": product.stocked,
        "retired": product.retired,
        "assumed": dumps(sorted(product.assumed)),
    }
