"""A store to look at, held in memory: for tests of agents, in place of a database."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from storecrew.domain.errors import NotFound
from storecrew.domain.shop.catalog import (
    CompetitorPage,
    CompetitorPrice,
    PriceChange,
    Product,
    ProductSuggestion,
)
from storecrew.domain.shop.customers import Customer, CustomerActivity, CustomerSpend
from storecrew.domain.shop.inventory import Shipment, StockLevel, StockMovement, StockoutPeriod
from storecrew.domain.shop.orders import (
    RESERVING,
    DailySales,
    HourlySales,
    Order,
    OrderBacklog,
    OrderPage,
    OrderQuery,
    OrderStatus,
    OrderTransition,
    SoldLines,
)
from storecrew.domain.shop.payments import Authorization
from storecrew.domain.shop.promotions import Bundle, Campaign, Discount
from storecrew.domain.shop.purchasing import PurchaseOrder, Supplier
from storecrew.domain.shop.support import Ticket, TicketStatus

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class SoldLine:
    """One line of an order as it was sold."""

    order: int
    sku: str
    day: date
    customer: str | None = None
    quantity: int = 1
    price: float = 10.0


@dataclass(kw_only=True)
class FakeStore:
    """Implements `domain.ports.StoreView` over the values it is given; they may be changed."""

    product_list: list[Product] = field(default_factory=list[Product])
    levels: list[StockLevel] = field(default_factory=list[StockLevel])
    moves: list[StockMovement] = field(default_factory=list[StockMovement])
    order_list: list[Order] = field(default_factory=list[Order])
    order_move_list: list[OrderTransition] = field(default_factory=list[OrderTransition])
    sales: dict[str, dict[date, int]] = field(default_factory=dict[str, dict[date, int]])
    """Units sold per SKU and day."""
    changes: list[PriceChange] = field(default_factory=list[PriceChange])
    purchase_list: list[PurchaseOrder] = field(default_factory=list[PurchaseOrder])
    supplier_list: list[Supplier] = field(default_factory=list[Supplier])
    competitor_price_list: list[CompetitorPrice] = field(default_factory=list[CompetitorPrice])
    people: list[Customer] = field(default_factory=list[Customer])
    sent: dict[str, int] = field(default_factory=dict[str, int])
    """Marketing messages sent per customer, whenever asked for."""
    spent: dict[str, CustomerSpend] = field(default_factory=dict[str, CustomerSpend])
    """What each customer bought, whatever the period."""
    discount_list: list[Discount] = field(default_factory=list[Discount])
    bundle_list: list[Bundle] = field(default_factory=list[Bundle])
    shown: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """SKUs per place of the shop."""
    campaign_list: list[Campaign] = field(default_factory=list[Campaign])
    suggestion_list: list[ProductSuggestion] = field(default_factory=list[ProductSuggestion])
    watched: list[CompetitorPage] = field(default_factory=list[CompetitorPage])
    hours: list[HourlySales] = field(default_factory=list[HourlySales])
    act_list: list[CustomerActivity] = field(default_factory=list[CustomerActivity])
    ticket_list: list[Ticket] = field(default_factory=list[Ticket])
    authorization_list: list[Authorization] = field(default_factory=list[Authorization])
    methods: dict[str, bool] = field(default_factory=dict[str, bool])
    waiting: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Customers per SKU who asked to be told when it is back."""
    line_list: list[SoldLine] = field(default_factory=list[SoldLine])
    """What was sold, line by line, for questions about baskets."""
    shipped: list[Shipment] = field(default_factory=list[Shipment])
    empty: list[StockoutPeriod] = field(default_factory=list[StockoutPeriod])
    told: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    """Topics per customer that a message was queued on."""
    addresses: dict[str, str] = field(default_factory=dict[str, str])
    """Addresses that are written to no more, and why."""

    async def product(self, sku: str) -> Product:
        """Return the product, or raise `NotFound`."""
        return _one("product", sku, [p for p in self.product_list if p.sku == sku])

    async def products(self, skus: Iterable[str] | None = None) -> Sequence[Product]:
        """Return these products (all when None) ordered by SKU."""
        selected = _wanted(skus)
        return sorted((p for p in self.product_list if p.sku in selected), key=lambda p: p.sku)

    async def stock(self, skus: Iterable[str] | None = None) -> Sequence[StockLevel]:
        """Return the levels of these products (all when None)."""
        selected = _wanted(skus)
        found = (level for level in self.levels if level.sku in selected)
        return sorted(found, key=lambda level: (level.sku, level.warehouse))

    async def stock_movements(self, *, limit: int = 100) -> Sequence[StockMovement]:
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
            if query.status in (None, order.status)
            and query.customer in (None, order.customer)
            and query.held in (None, bool(order.held))
        ]
        start = (query.page - 1) * query.per_page
        return OrderPage(items=tuple(found[start : start + query.per_page]), total=len(found))

    async def orders_by_id(self, order_ids: Iterable[int]) -> Sequence[Order]:
        """Return these orders by id; unknown ids are left out."""
        selected = set(order_ids)
        return sorted((o for o in self.order_list if o.id in selected), key=lambda o: o.id)

    async def open_orders(self) -> Sequence[Order]:
        """Return every order not yet at its end, oldest first."""
        is_open = RESERVING | {OrderStatus.AWAITING_DELIVERY}
        return sorted((o for o in self.order_list if o.status in is_open), key=lambda o: o.id)

    async def order_counts(self) -> Mapping[OrderStatus, int]:
        """Return how many orders stand in each state."""
        counts: dict[OrderStatus, int] = {}
        for order in self.order_list:
            counts[order.status] = counts.get(order.status, 0) + 1
        return counts

    async def order_backlog(self) -> OrderBacklog:
        """Return since when open orders wait in each state, and how many are paid and not sent."""
        waiting = await self.open_orders()
        since = {
            status: min(order.updated_at for order in waiting if order.status is status)
            for status in {order.status for order in waiting}
        }
        paid = [o for o in waiting if o.status is OrderStatus.AWAITING_PAYMENT and o.is_paid]
        return OrderBacklog(since=since, paid_not_sent=len(paid))

    async def skus_to_watch(self, *, below: int) -> Sequence[str]:
        """Return products with fewer units available in a warehouse, and those without a price."""
        low = {level.sku for level in self.levels if level.available < below}
        return sorted(low | {p.sku for p in self.product_list if p.price.amount <= 0})

    async def order_transitions(self, order_ids: Iterable[int]) -> Sequence[OrderTransition]:
        """Return the recorded moves of these orders, oldest first."""
        selected = set(order_ids)
        return [move for move in self.order_move_list if move.order_id in selected]

    async def daily_sales(
        self, first: date, last: date, skus: Iterable[str] | None = None
    ) -> DailySales:
        """Return units sold per product and day, both days included."""
        selected = _wanted(skus)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        units = {
            sku: array("q", (sold.get(day, 0) for day in days))
            for sku, sold in sorted(self.sales.items())
            if sku in selected
        }
        return DailySales(first, {sku: each for sku, each in units.items() if any(each)})

    async def price_changes(
        self, since: datetime, skus: Iterable[str] | None = None
    ) -> Sequence[PriceChange]:
        """Return price changes from that moment on, oldest first."""
        selected = _wanted(skus)
        found = (c for c in self.changes if c.at >= since and c.sku in selected)
        return sorted(found, key=lambda c: c.at)

    async def purchase_orders(self, *, status: str | None = "open") -> Sequence[PurchaseOrder]:
        """Return purchase orders of this status (all when None), oldest first."""
        return [p for p in self.purchase_list if status in (None, p.status)]

    async def suppliers(self) -> Sequence[Supplier]:
        """Return every supplier, ordered by id."""
        return sorted(self.supplier_list, key=lambda s: s.id)

    async def competitor_prices(
        self, skus: Iterable[str] | None = None
    ) -> Sequence[CompetitorPrice]:
        """Return each competitor's last observed price."""
        selected = _wanted(skus)
        found = (seen for seen in self.competitor_price_list if seen.sku in selected)
        return sorted(found, key=lambda seen: (seen.sku, seen.competitor))

    async def customer(self, customer_id: str) -> Customer:
        """Return the customer, or raise `NotFound`."""
        return _one("customer", customer_id, [c for c in self.people if c.id == customer_id])

    async def messages_sent(self, customers: Iterable[str], since: datetime) -> Mapping[str, int]:
        """Return how many marketing messages each of these customers was sent."""
        selected = set(customers)
        return {customer: n for customer, n in self.sent.items() if customer in selected}

    async def customers(self) -> Sequence[Customer]:
        """Return every customer, ordered by id."""
        return sorted(self.people, key=lambda each: each.id)

    async def sold_lines(self, first: date, last: date) -> SoldLines:
        """Return the lines of these days, both included."""
        found = [each for each in self.line_list if first <= each.day <= last]
        return SoldLines(
            orders=[each.order for each in found],
            customers=[each.customer for each in found],
            skus=[each.sku for each in found],
            days=[each.day.toordinal() for each in found],
            quantities=[each.quantity for each in found],
            prices=[each.price for each in found],
        )

    async def shipments(self, first: date, last: date) -> Sequence[Shipment]:
        """Return what left each warehouse on these days."""
        return [each for each in self.shipped if first <= each.day <= last]

    async def stockout_periods(self, first: date, last: date) -> Sequence[StockoutPeriod]:
        """Return when products were sold out."""
        return [each for each in self.empty if each.first <= last and each.last >= first]

    async def customer_spend(self, first: datetime, last: datetime) -> Mapping[str, CustomerSpend]:
        """Return what each known customer bought, whatever the period."""
        return dict(self.spent)

    async def hourly_sales(self, since: datetime) -> Sequence[HourlySales]:
        """Return the hours since then in which something was sold or paid back."""
        return sorted((h for h in self.hours if h.hour >= since), key=lambda h: h.hour)

    async def discounts(self, *, ending_after: datetime) -> Sequence[Discount]:
        """Return discounts that end after then, by code."""
        found = (each for each in self.discount_list if each.ends_at > ending_after)
        return sorted(found, key=lambda each: each.code)

    async def bundles(self) -> Sequence[Bundle]:
        """Return what is offered together now, by name."""
        return sorted(self.bundle_list, key=lambda each: each.name)

    async def recommendations(self, place: str) -> Sequence[str]:
        """Return the SKUs shown in a place, best first."""
        return self.shown.get(place, ())

    async def campaigns(self) -> Sequence[Campaign]:
        """Return every campaign, newest first."""
        return self.campaign_list[::-1]

    async def product_suggestions(self) -> Sequence[ProductSuggestion]:
        """Return products that were suggested, newest first."""
        return self.suggestion_list[::-1]

    async def competitor_pages(self) -> Sequence[CompetitorPage]:
        """Return the tracked competitor pages."""
        return sorted(self.watched, key=lambda each: (each.sku, each.competitor))

    async def customer_activity(
        self, since: datetime, *, limit: int = 10_000
    ) -> Sequence[CustomerActivity]:
        """Return what customers did in the shop's window since then, oldest first."""
        found = (act for act in self.act_list if act.at >= since)
        return sorted(found, key=lambda act: act.at)[:limit]

    async def ticket(self, ticket_id: str) -> Ticket:
        """Return the ticket, or raise `NotFound`."""
        return _one("ticket", ticket_id, [t for t in self.ticket_list if t.id == ticket_id])

    async def tickets(
        self, *, status: TicketStatus | None = None, limit: int = 200
    ) -> Sequence[Ticket]:
        """Return tickets of this status (all when None), newest first."""
        found = [t for t in self.ticket_list if status in (None, t.status)]
        return found[::-1][:limit]

    async def authorizations(self, order_ids: Iterable[int]) -> Sequence[Authorization]:
        """Return payments set aside for these orders, oldest first."""
        selected = set(order_ids)
        return [each for each in self.authorization_list if each.order_id in selected]

    async def payment_methods(self) -> Mapping[str, bool]:
        """Return the ways to pay, and whether each is offered."""
        return dict(self.methods)

    async def back_in_stock_subscribers(self, sku: str) -> Sequence[str]:
        """Return the customers who asked to be told when the product is back."""
        return sorted(self.waiting.get(sku, ()))

    async def sent_topics(
        self, customers: Iterable[str], topics: Iterable[str]
    ) -> Mapping[str, Sequence[str]]:
        """Return which of these topics each of these customers was told of, in order."""
        selected = set(topics)
        found = {each: sorted(selected & set(self.told.get(each, ()))) for each in customers}
        return {customer: each for customer, each in sorted(found.items()) if each}

    async def suppressed(self, addresses: Iterable[str]) -> Mapping[str, str]:
        """Return which of these addresses are written to no more, and why."""
        return {each: self.addresses[each] for each in addresses if each in self.addresses}


class _Everything:
    def __contains__(self, sku: object) -> bool:
        return True


def _wanted(skus: Iterable[str] | None) -> set[str] | _Everything:
    return _Everything() if skus is None else set(skus)


def _one(kind: str, key: object, found: "list[T]") -> T:
    if not found:
        raise NotFound(kind, key)
    return found[0]
