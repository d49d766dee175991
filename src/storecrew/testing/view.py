"""A store to look at, held in memory: for tests of agents, in place of a database."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from storecrew.domain.commerce import (
    Customer,
    DailySales,
    Order,
    OrderMove,
    OrderPage,
    OrderQuery,
    PriceChange,
    Product,
    Purchase,
    RivalPrice,
    StockLevel,
    StockMove,
    Supplier,
)
from storecrew.domain.errors import NotFound
from storecrew.domain.orders import RESERVING, Status

T = TypeVar("T")


@dataclass(kw_only=True)
class FakeView:
    """Implements `domain.ports.StoreView` over the values it is given; they may be changed."""

    product_list: list[Product] = field(default_factory=list[Product])
    levels: list[StockLevel] = field(default_factory=list[StockLevel])
    moves: list[StockMove] = field(default_factory=list[StockMove])
    order_list: list[Order] = field(default_factory=list[Order])
    order_move_list: list[OrderMove] = field(default_factory=list[OrderMove])
    sales: dict[str, dict[date, int]] = field(default_factory=dict[str, dict[date, int]])
    """Units sold per SKU and day."""
    changes: list[PriceChange] = field(default_factory=list[PriceChange])
    purchase_list: list[Purchase] = field(default_factory=list[Purchase])
    supplier_list: list[Supplier] = field(default_factory=list[Supplier])
    rivals: list[RivalPrice] = field(default_factory=list[RivalPrice])
    customers: list[Customer] = field(default_factory=list[Customer])
    sent: dict[str, int] = field(default_factory=dict[str, int])
    """Marketing messages sent per customer, whenever asked for."""

    async def product(self, sku: str) -> Product:
        """Return the product, or raise `NotFound`."""
        return _one("product", sku, [p for p in self.product_list if p.sku == sku])

    async def products(self, skus: Iterable[str] | None = None) -> Sequence[Product]:
        """Return these products (all when None) ordered by SKU."""
        wanted = _wanted(skus)
        return sorted((p for p in self.product_list if p.sku in wanted), key=lambda p: p.sku)

    async def stock(self, skus: Iterable[str] | None = None) -> Sequence[StockLevel]:
        """Return the levels of these products (all when None)."""
        wanted = _wanted(skus)
        found = (level for level in self.levels if level.sku in wanted)
        return sorted(found, key=lambda level: (level.sku, level.warehouse))

    async def stock_moves(self, *, limit: int = 100) -> Sequence[StockMove]:
        """Return the newest entries of the stock ledger, newest first."""
        return self.moves[::-1][:limit]

    async def order(self, order_id: int) -> Order:
        """Return the order, or raise `NotFound`."""
        return _one("order", order_id, [o for o in self.order_list if o.id == order_id])

    async def orders(self, query: OrderQuery) -> OrderPage:
        """Return one page of matching orders, newest first."""
        found = [
            order
            for order in sorted(self.order_list, key=lambda order: -order.id)
            if query.status in (None, order.status) and query.customer in (None, order.customer)
        ]
        start = (query.page - 1) * query.per_page
        return OrderPage(items=tuple(found[start : start + query.per_page]), total=len(found))

    async def orders_by_id(self, order_ids: Iterable[int]) -> Sequence[Order]:
        """Return these orders by id; unknown ids are left out."""
        wanted = set(order_ids)
        return sorted((o for o in self.order_list if o.id in wanted), key=lambda o: o.id)

    async def open_orders(self) -> Sequence[Order]:
        """Return every order not yet at its end, oldest first."""
        is_open = RESERVING | {Status.AWAITING_DELIVERY}
        return sorted((o for o in self.order_list if o.status in is_open), key=lambda o: o.id)

    async def order_counts(self) -> Mapping[Status, int]:
        """Return how many orders stand in each state."""
        counts: dict[Status, int] = {}
        for order in self.order_list:
            counts[order.status] = counts.get(order.status, 0) + 1
        return counts

    async def order_moves(self, order_ids: Iterable[int]) -> Sequence[OrderMove]:
        """Return the recorded moves of these orders, oldest first."""
        wanted = set(order_ids)
        return [move for move in self.order_move_list if move.order_id in wanted]

    async def daily_sales(
        self, first: date, last: date, skus: Iterable[str] | None = None
    ) -> DailySales:
        """Return units sold per product and day, both days included."""
        wanted = _wanted(skus)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        units = {
            sku: array("q", (sold.get(day, 0) for day in days))
            for sku, sold in sorted(self.sales.items())
            if sku in wanted
        }
        return DailySales(first, {sku: each for sku, each in units.items() if any(each)})

    async def price_changes(
        self, since: datetime, skus: Iterable[str] | None = None
    ) -> Sequence[PriceChange]:
        """Return price changes from that moment on, oldest first."""
        wanted = _wanted(skus)
        found = (c for c in self.changes if c.at >= since and c.sku in wanted)
        return sorted(found, key=lambda c: c.at)

    async def purchases(self, *, status: str | None = "open") -> Sequence[Purchase]:
        """Return purchase orders of this status (all when None), oldest first."""
        return [p for p in self.purchase_list if status in (None, p.status)]

    async def suppliers(self) -> Sequence[Supplier]:
        """Return every supplier, ordered by id."""
        return sorted(self.supplier_list, key=lambda s: s.id)

    async def rival_prices(self, skus: Iterable[str] | None = None) -> Sequence[RivalPrice]:
        """Return what each rival was last seen asking."""
        wanted = _wanted(skus)
        found = (seen for seen in self.rivals if seen.sku in wanted)
        return sorted(found, key=lambda seen: (seen.sku, seen.rival))

    async def customer(self, customer_id: str) -> Customer:
        """Return the customer, or raise `NotFound`."""
        return _one("customer", customer_id, [c for c in self.customers if c.id == customer_id])

    async def messages_sent(self, customers: Iterable[str], since: datetime) -> Mapping[str, int]:
        """Return how many marketing messages each of these customers was sent."""
        wanted = set(customers)
        return {customer: n for customer, n in self.sent.items() if customer in wanted}


class _Everything:
    def __contains__(self, sku: object) -> bool:
        return True


def _wanted(skus: Iterable[str] | None) -> set[str] | _Everything:
    return _Everything() if skus is None else set(skus)


def _one(kind: str, key: object, found: "list[T]") -> T:
    if not found:
        raise NotFound(kind, key)
    return found[0]
