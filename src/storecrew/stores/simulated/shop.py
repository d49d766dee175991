"""The simulated shop: real books behind the store port, and a market that acts on them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol

from storecrew.domain.actions import Action, Command
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.ports.store import Store
from storecrew.domain.shop.catalog import (
    CompetitorPage,
    CompetitorPrice,
    PriceChange,
    Product,
    ProductSuggestion,
    RecordCompetitorPrice,
    UpsertProduct,
)
from storecrew.domain.shop.customers import Customer, CustomerActivity, CustomerSpend
from storecrew.domain.shop.inventory import (
    SetStock,
    Shipment,
    StockCount,
    StockLevel,
    StockMovement,
    StockoutPeriod,
)
from storecrew.domain.shop.orders import (
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
from storecrew.domain.shop.payments import Authorization, SetPaymentMethod
from storecrew.domain.shop.promotions import Bundle, Campaign, Discount
from storecrew.domain.shop.purchasing import PurchaseOrder, Supplier
from storecrew.domain.shop.support import Ticket, TicketStatus
from storecrew.stores.simulated.catalog import SUPPLIERS, articles, customers
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.stores.simulated.market import ACTOR, Market
from storecrew.stores.simulated.tally import Tally

_HOUR = timedelta(hours=1)
_OPENING_DAYS = 28
"""Opening stock: about four weeks of what usually sells."""


class SimulatedLedger(Store, Protocol):
    """A store in which customers and suppliers can be entered."""

    async def put_customers(self, customers: Sequence[Customer]) -> None:
        """Add these customers, or change those that are known."""
        ...

    async def put_suppliers(self, suppliers: Sequence[Supplier]) -> None:
        """Add these suppliers, or change those that are known."""
        ...


class SimulatedShop:
    """Implements the `Store` port by delegation to its books, and lets virtual time pass.

    The same seed draws the same customers, rivals and suppliers, whoever runs the shop.
    """

    def __init__(self, books: SimulatedLedger, market: Market, clock: VirtualClock) -> None:
        self._books = books
        self._market = market
        self._clock = clock

    @classmethod
    async def open(
        cls,
        books: SimulatedLedger,
        *,
        seed: int,
        clock: VirtualClock,
        currency: str = "EUR",
        size: int = 120,
        units: float = 55.0,
    ) -> "SimulatedShop":
        """Stock the books with this seed's catalogue, unless that was done before."""
        sold = articles(seed, size=size, units_a_day=units)
        people = customers(seed)
        market = Market(books, seed, sold, len(people), currency)
        await books.put_customers(people)
        await books.put_suppliers(SUPPLIERS)
        await _stock(books, market)
        await market.open()
        return cls(books, market, clock)

    @property
    def tally(self) -> Tally:
        """What really happened, for reports."""
        return self._market.tally

    async def advance(self, until: datetime) -> tuple[EventEnvelope, ...]:
        """Let the market act up to that moment, hour by hour, and return what is heard of it.

        Moves the clock. Deliveries, tickets and written orders come back as events to publish;
        everything else leaves facts on the books.
        """
        news: list[EventEnvelope] = []
        while (now := self._clock.now()) < until:
            boundary = now.replace(minute=0, second=0, microsecond=0) + _HOUR
            self._clock.advance_to(min(boundary, until))
            news += await self._market.pass_time(self._clock.now())
        self._market.forget_unanswered_mails(until)
        return tuple(news)

    def is_fraud(self, order_id: int) -> bool:
        """Tell what a person finds out who calls the customer of an order."""
        return order_id in self._market.follow_ups.frauds

    async def settle(self) -> None:
        """Take note of the last facts on the books, before a report."""
        await self._market.hear()

    async def apply(self, action: Action, *, key: str, actor: str = "system") -> Outcome:
        """Do the action at most once per key, and return its outcome."""
        return await self._books.apply(action, key=key, actor=actor)

    async def apply_batch(self, batch: Sequence[Command]) -> Sequence[Outcome]:
        """Apply up to 500 actions in order, in one transaction."""
        return await self._books.apply_batch(batch)

    async def outbox(self, after: int, *, limit: int = 500) -> Sequence[tuple[int, EventEnvelope]]:
        """Return facts recorded after that position, in order."""
        return await self._books.outbox(after, limit=limit)

    async def outcome(self, key: str) -> Outcome | None:
        """Return the outcome recorded under this key, if any."""
        return await self._books.outcome(key)

    async def applied_keys(self, prefix: str = "") -> Sequence[str]:
        """Return the keys under which an effect happened."""
        return await self._books.applied_keys(prefix)

    async def verify(self) -> Sequence[Discrepancy]:
        """Recompute the books and return what is wrong."""
        return await self._books.verify()

    async def close(self) -> None:
        """Release every connection."""
        await self._books.close()

    async def product(self, sku: str) -> Product:
        """Return the product, or raise `NotFound`."""
        return await self._books.product(sku)

    async def products(self, skus: Iterable[str] | None = None) -> Sequence[Product]:
        """Return these products (all when None)."""
        return await self._books.products(skus)

    async def stock(self, skus: Iterable[str] | None = None) -> Sequence[StockLevel]:
        """Return the levels of these products (all when None)."""
        return await self._books.stock(skus)

    async def stock_movements(self, *, limit: int = 100) -> Sequence[StockMovement]:
        """Return the newest entries of the stock ledger."""
        return await self._books.stock_movements(limit=limit)

    async def order(self, order_id: int) -> Order:
        """Return the order, or raise `NotFound`."""
        return await self._books.order(order_id)

    async def orders(self, query: OrderQuery) -> OrderPage:
        """Return one page of matching orders."""
        return await self._books.orders(query)

    async def orders_by_id(self, order_ids: Iterable[int]) -> Sequence[Order]:
        """Return these orders by id; unknown ids are left out."""
        return await self._books.orders_by_id(order_ids)

    async def open_orders(self) -> Sequence[Order]:
        """Return every order not yet at its end."""
        return await self._books.open_orders()

    async def order_counts(self) -> Mapping[OrderStatus, int]:
        """Return how many orders stand in each state."""
        return await self._books.order_counts()

    async def order_backlog(self) -> OrderBacklog:
        """Return since when open orders wait in each state, and how many are paid and not sent."""
        return await self._books.order_backlog()

    async def skus_to_watch(self, *, below: int) -> Sequence[str]:
        """Return products with fewer units available in a warehouse, and those without a price."""
        return await self._books.skus_to_watch(below=below)

    async def order_transitions(self, order_ids: Iterable[int]) -> Sequence[OrderTransition]:
        """Return the recorded moves of these orders."""
        return await self._books.order_transitions(order_ids)

    async def daily_sales(
        self, first: date, last: date, skus: Iterable[str] | None = None
    ) -> DailySales:
        """Return units sold per product and day."""
        return await self._books.daily_sales(first, last, skus)

    async def price_changes(
        self, since: datetime, skus: Iterable[str] | None = None
    ) -> Sequence[PriceChange]:
        """Return price changes from that moment on."""
        return await self._books.price_changes(since, skus)

    async def purchase_orders(self, *, status: str | None = "open") -> Sequence[PurchaseOrder]:
        """Return purchase orders of this status."""
        return await self._books.purchase_orders(status=status)

    async def suppliers(self) -> Sequence[Supplier]:
        """Return every supplier."""
        return await self._books.suppliers()

    async def competitor_prices(
        self, skus: Iterable[str] | None = None
    ) -> Sequence[CompetitorPrice]:
        """Return each competitor's last observed price."""
        return await self._books.competitor_prices(skus)

    async def customer(self, customer_id: str) -> Customer:
        """Return the customer, or raise `NotFound`."""
        return await self._books.customer(customer_id)

    async def messages_sent(self, customers: Iterable[str], since: datetime) -> Mapping[str, int]:
        """Return how many marketing messages each customer was sent."""
        return await self._books.messages_sent(customers, since)

    async def sold_lines(self, first: date, last: date) -> SoldLines:
        """Return the lines of orders of these UTC days."""
        return await self._books.sold_lines(first, last)

    async def shipments(self, first: date, last: date) -> Sequence[Shipment]:
        """Return what left each warehouse on these UTC days."""
        return await self._books.shipments(first, last)

    async def stockout_periods(self, first: date, last: date) -> Sequence[StockoutPeriod]:
        """Return when products were sold out for whole days."""
        return await self._books.stockout_periods(first, last)

    async def customers(self) -> Sequence[Customer]:
        """Return every customer, ordered by id."""
        return await self._books.customers()

    async def customer_spend(self, first: datetime, last: datetime) -> Mapping[str, CustomerSpend]:
        """Return what each known customer bought from `first` until before `last`."""
        return await self._books.customer_spend(first, last)

    async def hourly_sales(self, since: datetime) -> Sequence[HourlySales]:
        """Return the hours since then in which something was sold or paid back, oldest first."""
        return await self._books.hourly_sales(since)

    async def discounts(self, *, ending_after: datetime) -> Sequence[Discount]:
        """Return discounts that end after then, by code."""
        return await self._books.discounts(ending_after=ending_after)

    async def bundles(self) -> Sequence[Bundle]:
        """Return what is offered together now, by name."""
        return await self._books.bundles()

    async def recommendations(self, place: str) -> Sequence[str]:
        """Return the SKUs shown in a place, best first; none where nothing was set."""
        return await self._books.recommendations(place)

    async def campaigns(self) -> Sequence[Campaign]:
        """Return every campaign, newest first."""
        return await self._books.campaigns()

    async def product_suggestions(self) -> Sequence[ProductSuggestion]:
        """Return products that were suggested, newest first."""
        return await self._books.product_suggestions()

    async def competitor_pages(self) -> Sequence[CompetitorPage]:
        """Return the tracked competitor pages, by SKU, then competitor."""
        return await self._books.competitor_pages()

    async def customer_activity(
        self, since: datetime, *, limit: int = 10_000
    ) -> Sequence[CustomerActivity]:
        """Return what customers did in the shop's window since then, oldest first."""
        return await self._books.customer_activity(since, limit=limit)

    async def ticket(self, ticket_id: str) -> Ticket:
        """Return the ticket, or raise `NotFound`."""
        return await self._books.ticket(ticket_id)

    async def tickets(
        self, *, status: TicketStatus | None = None, limit: int = 200
    ) -> Sequence[Ticket]:
        """Return tickets of this status (all when None), newest first."""
        return await self._books.tickets(status=status, limit=limit)

    async def authorizations(self, order_ids: Iterable[int]) -> Sequence[Authorization]:
        """Return payments set aside for these orders, oldest first."""
        return await self._books.authorizations(order_ids)

    async def payment_methods(self) -> Mapping[str, bool]:
        """Return the ways to pay that were ever used or set, and whether each is offered."""
        return await self._books.payment_methods()

    async def back_in_stock_subscribers(self, sku: str) -> Sequence[str]:
        """Return the customers who asked to be told when the product is back, by id."""
        return await self._books.back_in_stock_subscribers(sku)

    async def sent_topics(
        self, customers: Iterable[str], topics: Iterable[str]
    ) -> Mapping[str, Sequence[str]]:
        """Return which of these topics each of these customers was told of, in order."""
        return await self._books.sent_topics(customers, topics)

    async def suppressed(self, addresses: Iterable[str]) -> Mapping[str, str]:
        """Return which of these addresses are written to no more, and why."""
        return await self._books.suppressed(addresses)


async def _stock(books: Store, market: Market) -> None:
    """Enter products, opening stock and competitors' first prices, each once."""
    found: list[tuple[str, Action]] = [
        (f"method/{method}", SetPaymentMethod(method=method, enabled=True))
        for method in ("bank", "card")
    ]
    for article in market.articles:
        product = UpsertProduct(
            sku=article.sku,
            name=article.name,
            price=market.money(article.list_price),
            cost=market.money(article.cost),
            supplier=article.supplier,
            pack_size=article.pack,
        )
        level = StockCount(sku=article.sku, on_hand=round(article.base * _OPENING_DAYS) + 2)
        found.append((f"product/{article.sku}", product))
        found.append((f"opening/{article.sku}", SetStock(levels=(level,), reason="opening stock")))
    for (sku, rival), tag in sorted(market.rivals.tags.items()):
        seen = RecordCompetitorPrice(sku=sku, competitor=rival, price=market.money(tag))
        found.append((f"rival/{sku}/{rival}", seen))
    keyed = [
        Command(key=f"{ACTOR}/{market.seed}/{key}", action=action, actor=ACTOR)
        for key, action in found
    ]
    for start in range(0, len(keyed), 500):
        await books.apply_batch(keyed[start : start + 500])
