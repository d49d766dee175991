"""The embedded store: the store port over one SQL database, each call one transaction."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from storecrew.database import DURABLE, Database, Durability, connect, migrate, reading
from storecrew.domain.actions import Action, Command
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import CurrencyMismatch, InvalidInput, StorageBusy
from storecrew.domain.ports.clock import Clock
from storecrew.domain.shop.catalog import (
    CompetitorPrice,
    PriceChange,
    Product,
)
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.orders import (
    DailySales,
    Order,
    OrderTransition,
)
from storecrew.domain.shop.payments import Authorization
from storecrew.domain.shop.purchasing import Supplier
from storecrew.stores.sql import books, bulk_customers, idempotency, integrity, queries
from storecrew.stores.sql.apply import apply_batch
from storecrew.stores.sql.group_commit import GroupCommit
from storecrew.stores.sql.queries.filters import sku_set

P = ParamSpec("P")
T = TypeVar("T")

MAX_BATCH = 500
DEFAULT_SCHEMA = "store"
MIGRATIONS = Path(__file__).parent / "migrations"


def _reading_in_currency(
    function: Callable[Concatenate[Connection, str, P], T],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Return a method that reads with the function, which gets the store's currency."""

    @wraps(function)
    async def method(self: "SqlStore", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.database.read(lambda c: function(c, self.currency, *args, **kwargs))

    return method


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

    product = _reading_in_currency(queries.catalog.product)

    async def products(self, skus: Iterable[str] | None = None) -> Sequence[Product]:
        """Return these products (all when None) ordered by SKU."""
        return await self._read(queries.catalog.products, self.currency, sku_set(skus))

    async def stock(self, skus: Iterable[str] | None = None) -> Sequence[StockLevel]:
        """Return the levels of these products (all when None), by SKU, then warehouse."""
        return await self._read(queries.inventory.stock, sku_set(skus))

    stock_movements = reading(queries.inventory.stock_movements)
    order = reading(queries.orders.order)
    orders = reading(queries.orders.order_page)

    async def orders_by_id(self, order_ids: Iterable[int]) -> Sequence[Order]:
        """Return these orders by id; unknown ids are left out."""
        return await self._read(queries.orders.orders_by_id, frozenset(order_ids))

    open_orders = reading(queries.orders.open_orders)
    order_counts = reading(queries.orders.order_counts)
    order_backlog = reading(queries.orders.order_backlog)
    skus_to_watch = reading(queries.inventory.skus_to_watch)

    async def order_transitions(self, order_ids: Iterable[int]) -> Sequence[OrderTransition]:
        """Return the recorded moves of these orders, oldest first."""
        return await self._read(queries.orders.order_transitions, frozenset(order_ids))

    async def daily_sales(
        self, first: date, last: date, skus: Iterable[str] | None = None
    ) -> DailySales:
        """Return units sold per product and UTC day, both days included, cancelled orders not."""
        return await self._read(queries.sales.daily_sales, first, last, sku_set(skus))

    sold_lines = _reading_in_currency(queries.sales.sold_lines)
    shipments = reading(queries.sales.shipments)
    stockout_periods = reading(queries.sales.stockout_periods)

    async def price_changes(
        self, since: datetime, skus: Iterable[str] | None = None
    ) -> Sequence[PriceChange]:
        """Return price changes from that moment on, oldest first."""
        return await self._read(queries.catalog.price_changes, self.currency, since, sku_set(skus))

    purchase_orders = _reading_in_currency(queries.purchasing.purchase_orders)
    suppliers = reading(queries.purchasing.suppliers)

    async def competitor_prices(
        self, skus: Iterable[str] | None = None
    ) -> Sequence[CompetitorPrice]:
        """Return each competitor's last observed price, by SKU, then competitor."""
        return await self._read(queries.catalog.competitor_prices, sku_set(skus))

    customer = reading(queries.customers.customer)

    async def messages_sent(self, customers: Iterable[str], since: datetime) -> Mapping[str, int]:
        """Return how many marketing messages each of these customers was sent since then."""
        return await self._read(queries.messages.messages_sent, frozenset(customers), since)

    customers = reading(queries.customers.customers)
    customer_spend = _reading_in_currency(queries.customers.customer_spend)
    hourly_sales = _reading_in_currency(queries.sales.hourly_sales)
    discounts = reading(queries.promotions.discounts)
    bundles = _reading_in_currency(queries.promotions.bundles)
    recommendations = reading(queries.promotions.recommendations)
    campaigns = reading(queries.promotions.campaigns)
    product_suggestions = reading(queries.catalog.product_suggestions)
    competitor_pages = reading(queries.catalog.competitor_pages)
    customer_activity = reading(queries.customers.customer_activity)
    ticket = reading(queries.support.ticket)
    tickets = reading(queries.support.tickets)

    async def authorizations(self, order_ids: Iterable[int]) -> Sequence[Authorization]:
        """Return payments set aside for these orders, oldest first."""
        return await self._read(
            queries.payments.authorizations, self.currency, frozenset(order_ids)
        )

    payment_methods = reading(queries.payments.payment_methods)
    back_in_stock_subscribers = reading(queries.customers.back_in_stock_subscribers)

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

    product_page = _reading_in_currency(queries.catalog.product_page)
    stock_page = reading(queries.inventory.stock_page)
    stocked_skus = reading(queries.inventory.stocked_skus)
    customer_page = reading(queries.customers.customer_page)
    purchase_page = _reading_in_currency(queries.purchasing.purchase_page)

    async def outbox(self, after: int, *, limit: int = 500) -> Sequence[tuple[int, EventEnvelope]]:
        """Return facts recorded after that position, in order, with their positions."""
        # Not a snapshot: on Postgres it must see what was committed while it waited for writers.
        return await self.database.read(partial(queries.events.outbox, after=after, limit=limit))

    outcome = reading(idempotency.outcome)
    applied_keys = reading(idempotency.applied)
    verify = reading(integrity.verify)

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
    `inline` keeps all work on the caller's thread, for memory and for simulation. Raises
    `CurrencyMismatch` where the books are kept in another currency.
    """
    engine = connect(url, schema=schema, durability=durability)
    store = SqlStore(Database(engine, "orders", inline=inline), clock, currency)
    try:
        if inline:
            migrate(engine, MIGRATIONS, name=schema)
        else:
            await asyncio.to_thread(migrate, engine, MIGRATIONS, name=schema)
        await _check_currency(store)
    except BaseException:
        engine.dispose()
        raise
    return store


async def _check_currency(store: SqlStore) -> None:
    """Compare the currency with that of the books, which keep it from the first time on."""
    kept = await store.database.read(books.currency)
    if kept is None:
        kept = await store.database.write(partial(books.keep_currency, currency=store.currency))
    if kept != store.currency:
        raise CurrencyMismatch(kept, store.currency)
