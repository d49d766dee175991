"""The embedded store: the store port over one SQL database, each call one transaction."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from storecrew.database import DURABLE, Database, Durability, connect, migrate
from storecrew.domain.actions import Action, Command
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import InvalidInput, StorageBusy
from storecrew.domain.paging import Page
from storecrew.domain.ports.clock import Clock
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
from storecrew.stores.sql import bulk_customers, idempotency, integrity, queries
from storecrew.stores.sql.apply import apply_batch
from storecrew.stores.sql.group_commit import GroupCommit
from storecrew.stores.sql.queries.filters import sku_set

T = TypeVar("T")

MAX_BATCH = 500
DEFAULT_SCHEMA = "store"
MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class SqlStore:
    """Implements the `Store` port on SQLite and on Postgres, with the same statements.

    Reads see one moment. Writes are decided by the database: on SQLite there is one writer, on
    Postgres rows are locked in one order, and CHECK constraints stand behind both.
    """

    database: Database
    clock: Clock
    currency: str
    _group_commits: "WeakKeyDictionary[asyncio.AbstractEventLoop, GroupCommit]" = field(
        default_factory=WeakKeyDictionary, init=False, repr=False, compare=False
    )

    async def apply(self, action: Action, *, key: str, actor: str = "system") -> Outcome:
        """Do the action at most once per key, and return its outcome."""
        keyed = Command(key=key, action=action, actor=actor)
        if self.database.inline:
            return (await self.apply_batch([keyed]))[0]
        return await self._group_commit().apply(keyed)

    async def apply_batch(self, batch: Sequence[Command]) -> Sequence[Outcome]:
        """Apply up to 500 actions in order, in one transaction; a refused one stops no other."""
        if len(batch) > MAX_BATCH:
            raise InvalidInput("batch", f"has {len(batch)} actions; at most {MAX_BATCH} may be")
        return await self._write(self._apply, batch) if batch else []

    async def put_customers(self, customers: Sequence[Customer]) -> None:
        """Add these customers, or change those that are known."""
        await self._write(bulk_customers.put_customers, customers)

    async def put_suppliers(self, suppliers: Sequence[Supplier]) -> None:
        """Add these suppliers, or change those that are known."""
        await self._write(bulk_customers.put_suppliers, suppliers)

    async def product(self, sku: str) -> Product:
        """Return the product, or raise `NotFound`."""
        return await self._read(queries.catalog.product, self.currency, sku)

    async def products(self, skus: Iterable[str] | None = None) -> Sequence[Product]:
        """Return these products (all when None) ordered by SKU."""
        return await self._read(queries.catalog.products, self.currency, sku_set(skus))

    async def stock(self, skus: Iterable[str] | None = None) -> Sequence[StockLevel]:
        """Return the levels of these products (all when None), by SKU, then warehouse."""
        return await self._read(queries.inventory.stock, sku_set(skus))

    async def stock_movements(self, *, limit: int = 100) -> Sequence[StockMovement]:
        """Return the newest entries of the stock ledger, newest first."""
        return await self._read(queries.inventory.stock_movements, limit)

    async def order(self, order_id: int) -> Order:
        """Return the order, or raise `NotFound`."""
        return await self._read(queries.orders.order, order_id)

    async def orders(self, query: OrderQuery) -> OrderPage:
        """Return one page of matching orders, newest first."""
        return await self._read(queries.orders.order_page, query)

    async def orders_by_id(self, order_ids: Iterable[int]) -> Sequence[Order]:
        """Return these orders by id; unknown ids are left out."""
        return await self._read(queries.orders.orders_by_id, frozenset(order_ids))

    async def open_orders(self) -> Sequence[Order]:
        """Return every order not yet delivered, cancelled or returned, oldest first."""
        return await self._read(queries.orders.open_orders)

    async def order_counts(self) -> Mapping[OrderStatus, int]:
        """Return how many orders stand in each state."""
        return await self._read(queries.orders.order_counts)

    async def order_backlog(self) -> OrderBacklog:
        """Return since when open orders wait in each state, and how many are paid and not sent."""
        return await self._read(queries.orders.order_backlog)

    async def skus_to_watch(self, *, below: int) -> Sequence[str]:
        """Return products with fewer units available in a warehouse, and those without a price."""
        return await self._read(queries.inventory.skus_to_watch, below)

    async def order_transitions(self, order_ids: Iterable[int]) -> Sequence[OrderTransition]:
        """Return the recorded moves of these orders, oldest first."""
        return await self._read(queries.orders.order_transitions, frozenset(order_ids))

    async def daily_sales(
        self, first: date, last: date, skus: Iterable[str] | None = None
    ) -> DailySales:
        """Return units sold per product and UTC day, both days included, cancelled orders not."""
        return await self._read(queries.sales.daily_sales, first, last, sku_set(skus))

    async def sold_lines(self, first: date, last: date) -> SoldLines:
        """Return the lines of orders of these UTC days, both included; cancelled ones are not."""
        return await self._read(queries.sales.sold_lines, self.currency, first, last)

    async def shipments(self, first: date, last: date) -> Sequence[Shipment]:
        """Return what left each warehouse on these UTC days, by SKU, warehouse and day."""
        return await self._read(queries.sales.shipments, first, last)

    async def stockout_periods(self, first: date, last: date) -> Sequence[StockoutPeriod]:
        """Return when products were sold out for whole days, as the stock ledger tells it."""
        return await self._read(queries.sales.stockout_periods, first, last)

    async def price_changes(
        self, since: datetime, skus: Iterable[str] | None = None
    ) -> Sequence[PriceChange]:
        """Return price changes from that moment on, oldest first."""
        return await self._read(queries.catalog.price_changes, self.currency, since, sku_set(skus))

    async def purchase_orders(self, *, status: str | None = "open") -> Sequence[PurchaseOrder]:
        """Return purchase orders of this status (all when None), oldest first."""
        return await self._read(queries.purchasing.purchase_orders, self.currency, status)

    async def suppliers(self) -> Sequence[Supplier]:
        """Return every supplier, ordered by id."""
        return await self._read(queries.purchasing.suppliers)

    async def competitor_prices(
        self, skus: Iterable[str] | None = None
    ) -> Sequence[CompetitorPrice]:
        """Return each competitor's last observed price, by SKU, then competitor."""
        return await self._read(queries.catalog.competitor_prices, sku_set(skus))

    async def customer(self, customer_id: str) -> Customer:
        """Return the customer, or raise `NotFound`."""
        return await self._read(queries.customers.customer, customer_id)

    async def messages_sent(self, customers: Iterable[str], since: datetime) -> Mapping[str, int]:
        """Return how many marketing messages each of these customers was sent since then."""
        return await self._read(queries.messages.messages_sent, frozenset(customers), since)

    async def customers(self) -> Sequence[Customer]:
        """Return every customer, ordered by id."""
        return await self._read(queries.customers.customers)

    async def customer_spend(self, first: datetime, last: datetime) -> Mapping[str, CustomerSpend]:
        """Return what each known customer bought from `first` until before `last`."""
        return await self._read(queries.customers.customer_spend, self.currency, first, last)

    async def hourly_sales(self, since: datetime) -> Sequence[HourlySales]:
        """Return the hours since then in which something was sold or paid back, oldest first."""
        return await self._read(queries.sales.hourly_sales, self.currency, since)

    async def discounts(self, *, ending_after: datetime) -> Sequence[Discount]:
        """Return discounts that end after then, by code."""
        return await self._read(queries.promotions.discounts, ending_after)

    async def bundles(self) -> Sequence[Bundle]:
        """Return what is offered together now, by name."""
        return await self._read(queries.promotions.bundles, self.currency)

    async def recommendations(self, place: str) -> Sequence[str]:
        """Return the SKUs shown in a place, best first; none where nothing was set."""
        return await self._read(queries.promotions.recommendations, place)

    async def campaigns(self) -> Sequence[Campaign]:
        """Return every campaign, newest first."""
        return await self._read(queries.promotions.campaigns)

    async def product_suggestions(self) -> Sequence[ProductSuggestion]:
        """Return products that were suggested, newest first."""
        return await self._read(queries.catalog.product_suggestions)

    async def competitor_pages(self) -> Sequence[CompetitorPage]:
        """Return the tracked competitor pages, by SKU, then competitor."""
        return await self._read(queries.catalog.competitor_pages)

    async def customer_activity(
        self, since: datetime, *, limit: int = 10_000
    ) -> Sequence[CustomerActivity]:
        """Return what customers did in the shop's window since then, oldest first."""
        return await self._read(queries.customers.customer_activity, since, limit)

    async def ticket(self, ticket_id: str) -> Ticket:
        """Return the ticket, or raise `NotFound`."""
        return await self._read(queries.support.ticket, ticket_id)

    async def tickets(
        self, *, status: TicketStatus | None = None, limit: int = 200
    ) -> Sequence[Ticket]:
        """Return tickets of this status (all when None), newest first."""
        return await self._read(queries.support.tickets, status, limit)

    async def authorizations(self, order_ids: Iterable[int]) -> Sequence[Authorization]:
        """Return payments set aside for these orders, oldest first."""
        return await self._read(
            queries.payments.authorizations, self.currency, frozenset(order_ids)
        )

    async def payment_methods(self) -> Mapping[str, bool]:
        """Return the ways to pay that were ever used or set, and whether each is offered."""
        return await self._read(queries.payments.payment_methods)

    async def back_in_stock_subscribers(self, sku: str) -> Sequence[str]:
        """Return the customers who asked to be told when the product is back, by id."""
        return await self._read(queries.customers.back_in_stock_subscribers, sku)

    async def sent_topics(
        self, customers: Iterable[str], topics: Iterable[str]
    ) -> Mapping[str, Sequence[str]]:
        """Return which of these topics each of these customers was told of, in order."""
        return await self._read(
            queries.messages.sent_topics, frozenset(customers), frozenset(topics)
        )

    async def suppressed(self, addresses: Iterable[str]) -> Mapping[str, str]:
        """Return which of these addresses are written to no more, and why."""
        return await self._read(queries.messages.suppressed, frozenset(addresses))

    async def product_page(self, *, page: int, per_page: int) -> Page[Product]:
        """Return one page of the products, by SKU."""
        return await self._read(queries.catalog.product_page, self.currency, page, per_page)

    async def stock_page(self, *, page: int, per_page: int) -> Page[StockLevel]:
        """Return one page of the stock levels, by SKU, then warehouse."""
        return await self._read(queries.inventory.stock_page, page, per_page)

    async def stocked_skus(self, *, page: int, per_page: int) -> Sequence[str]:
        """Return one page of the SKUs that have a stock level, in order."""
        return await self._read(queries.inventory.stocked_skus, page, per_page)

    async def customer_page(self, *, page: int, per_page: int) -> Page[Customer]:
        """Return one page of the customers, by id."""
        return await self._read(queries.customers.customer_page, page, per_page)

    async def purchase_page(
        self, *, status: str | None, page: int, per_page: int
    ) -> Page[PurchaseOrder]:
        """Return one page of the purchase orders of this status (all when None), oldest first."""
        return await self._read(
            queries.purchasing.purchase_page, self.currency, status, page, per_page
        )

    async def outbox(self, after: int, *, limit: int = 500) -> Sequence[tuple[int, EventEnvelope]]:
        """Return facts recorded after that position, in order, with their positions."""
        # Not a snapshot: on Postgres it must see what was committed while it waited for writers.
        return await self.database.read(partial(queries.events.outbox, after=after, limit=limit))

    async def outcome(self, key: str) -> Outcome | None:
        """Return the outcome recorded under this key, or None if nothing was done under it."""
        return await self._read(idempotency.outcome, key)

    async def applied_keys(self, prefix: str = "") -> Sequence[str]:
        """Return the keys under which an effect happened, in order."""
        return await self._read(idempotency.applied, prefix)

    async def verify(self) -> Sequence[Discrepancy]:
        """Recompute the books and return what is wrong with them."""
        return await self._read(integrity.verify)

    async def close(self) -> None:
        """Release every connection."""
        await self.database.close()

    def _apply(self, connection: Connection, batch: Sequence[Command]) -> list[Outcome]:
        return apply_batch(connection, batch, now=self.clock.now(), currency=self.currency)

    def _group_commit(self) -> GroupCommit:
        """Return where single actions of this event loop come together."""
        loop = asyncio.get_running_loop()
        if loop not in self._group_commits:
            self._group_commits[loop] = GroupCommit(self.apply_batch, MAX_BATCH)
        return self._group_commits[loop]

    async def _write(self, work: Callable[..., T], *arguments: object) -> T:
        """Write; on Postgres a key, reference or row that another writer made first means again."""

        def attempt(connection: Connection) -> T:
            try:
                return work(connection, *arguments)
            except IntegrityError as error:
                if getattr(error.orig, "sqlstate", None) == _UNIQUE_VIOLATION:
                    raise StorageBusy(self.database.name) from error
                raise

        return await self.database.write(attempt)

    async def _read(self, look: Callable[..., T], *arguments: object) -> T:
        """Read one moment, however many statements it takes."""

        def attempt(connection: Connection) -> T:
            return look(connection, *arguments)

        return await self.database.read(attempt)


_UNIQUE_VIOLATION = "23505"


async def open_store(
    url: str,
    *,
    clock: Clock,
    currency: str,
    durability: Durability = DURABLE,
    inline: bool = False,
    schema: str = DEFAULT_SCHEMA,
) -> SqlStore:
    """Open the ledger at this URL, with its tables brought up to date.

    On Postgres everything lives in the schema; SQLite has one schema per file and ignores it.
    `inline` keeps all work on the caller's thread, for memory and for simulation.
    """
    engine = connect(url, schema=schema, durability=durability)
    try:
        if inline:
            migrate(engine, MIGRATIONS, name=schema)
        else:
            await asyncio.to_thread(migrate, engine, MIGRATIONS, name=schema)
    except BaseException:
        engine.dispose()
        raise
    return SqlStore(Database(engine, "orders", inline=inline), clock, currency)
