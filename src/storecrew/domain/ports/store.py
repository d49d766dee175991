"""The store: readable for agents, changeable once per key for the orchestrator."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from storecrew.domain.actions import Action, Command
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.paging import Page
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


class SalesHistory(Protocol):
    """The shop's history in bulk, from which models learn. Each call reads one moment."""

    async def sold_lines(self, first: date, last: date) -> SoldLines:
        """Return the lines of orders of these UTC days, both included; cancelled ones are not."""
        ...

    async def shipments(self, first: date, last: date) -> Sequence[Shipment]:
        """Return what left each warehouse on these UTC days, by SKU, warehouse and day."""
        ...

    async def stockout_periods(self, first: date, last: date) -> Sequence[StockoutPeriod]:
        """Return when products were sold out for whole days, as the stock ledger tells it."""
        ...


class PromotionView(Protocol):
    """What is offered to customers, and what they do."""

    async def customers(self) -> Sequence[Customer]:
        """Return every customer, ordered by id."""
        ...

    async def customer_spend(self, first: datetime, last: datetime) -> Mapping[str, CustomerSpend]:
        """Return what each known customer bought from `first` until before `last`."""
        ...

    async def hourly_sales(self, since: datetime) -> Sequence[HourlySales]:
        """Return the hours since then in which something was sold or paid back, oldest first."""
        ...

    async def discounts(self, *, ending_after: datetime) -> Sequence[Discount]:
        """Return discounts that end after then, by code."""
        ...

    async def bundles(self) -> Sequence[Bundle]:
        """Return what is offered together now, by name."""
        ...

    async def recommendations(self, place: str) -> Sequence[str]:
        """Return the SKUs shown in a place, best first; none where nothing was set."""
        ...

    async def campaigns(self) -> Sequence[Campaign]:
        """Return every campaign, newest first."""
        ...

    async def product_suggestions(self) -> Sequence[ProductSuggestion]:
        """Return products that were suggested, newest first."""
        ...

    async def competitor_pages(self) -> Sequence[CompetitorPage]:
        """Return the tracked competitor pages, by SKU, then competitor."""
        ...

    async def customer_activity(
        self, since: datetime, *, limit: int = 10_000
    ) -> Sequence[CustomerActivity]:
        """Return what customers did in the shop's window since then, oldest first."""
        ...


class SupportView(Protocol):
    """What passes between the shop and its customers."""

    async def ticket(self, ticket_id: str) -> Ticket:
        """Return the ticket, or raise `NotFound`."""
        ...

    async def tickets(
        self, *, status: TicketStatus | None = None, limit: int = 200
    ) -> Sequence[Ticket]:
        """Return tickets of this status (all when None), newest first."""
        ...

    async def authorizations(self, order_ids: Iterable[int]) -> Sequence[Authorization]:
        """Return payments set aside for these orders, oldest first."""
        ...

    async def payment_methods(self) -> Mapping[str, bool]:
        """Return the ways to pay that were ever used or set, and whether each is offered."""
        ...

    async def back_in_stock_subscribers(self, sku: str) -> Sequence[str]:
        """Return the customers who asked to be told when the product is back, by id."""
        ...

    async def sent_topics(
        self, customers: Iterable[str], topics: Iterable[str]
    ) -> Mapping[str, Sequence[str]]:
        """Return which of these topics each of these customers was told of, in order."""
        ...

    async def suppressed(self, addresses: Iterable[str]) -> Mapping[str, str]:
        """Return which of these addresses are written to no more, and why."""
        ...


class StoreView(PromotionView, SupportView, SalesHistory, Protocol):
    """The store as an agent sees it: read-only. Each call reads one consistent moment."""

    async def product(self, sku: str) -> Product:
        """Return the product, or raise `NotFound`."""
        ...

    async def products(self, skus: Iterable[str] | None = None) -> Sequence[Product]:
        """Return these products (all when None) ordered by SKU; unknown SKUs are left out."""
        ...

    async def stock(self, skus: Iterable[str] | None = None) -> Sequence[StockLevel]:
        """Return the levels of these products (all when None), by SKU, then warehouse."""
        ...

    async def stock_movements(self, *, limit: int = 100) -> Sequence[StockMovement]:
        """Return the newest entries of the stock ledger, newest first."""
        ...

    async def order(self, order_id: int) -> Order:
        """Return the order, or raise `NotFound`."""
        ...

    async def orders(self, query: OrderQuery) -> OrderPage:
        """Return one page of matching orders, newest first."""
        ...

    async def orders_by_id(self, order_ids: Iterable[int]) -> Sequence[Order]:
        """Return these orders by id; unknown ids are left out."""
        ...

    async def open_orders(self) -> Sequence[Order]:
        """Return every order not yet delivered, cancelled or returned, oldest first."""
        ...

    async def order_counts(self) -> Mapping[OrderStatus, int]:
        """Return how many orders stand in each state; states without orders are left out."""
        ...

    async def order_backlog(self) -> OrderBacklog:
        """Return since when open orders wait in each state, and how many are paid and not sent."""
        ...

    async def skus_to_watch(self, *, below: int) -> Sequence[str]:
        """Return products with fewer units available in a warehouse, and those without a price."""
        ...

    async def order_transitions(self, order_ids: Iterable[int]) -> Sequence[OrderTransition]:
        """Return the recorded moves of these orders, oldest first."""
        ...

    async def daily_sales(
        self, first: date, last: date, skus: Iterable[str] | None = None
    ) -> DailySales:
        """Return units sold per product and UTC day, both days included, cancelled orders not.

        A product without a sale in the period has no entry.
        """
        ...

    async def price_changes(
        self, since: datetime, skus: Iterable[str] | None = None
    ) -> Sequence[PriceChange]:
        """Return price changes from that moment on, oldest first."""
        ...

    async def purchase_orders(self, *, status: str | None = "open") -> Sequence[PurchaseOrder]:
        """Return purchase orders of this status (all when None), oldest first."""
        ...

    async def suppliers(self) -> Sequence[Supplier]:
        """Return every supplier, ordered by id."""
        ...

    async def competitor_prices(
        self, skus: Iterable[str] | None = None
    ) -> Sequence[CompetitorPrice]:
        """Return each competitor's last observed price, by SKU, then competitor."""
        ...

    async def customer(self, customer_id: str) -> Customer:
        """Return the customer, or raise `NotFound`."""
        ...

    async def messages_sent(self, customers: Iterable[str], since: datetime) -> Mapping[str, int]:
        """Return how many marketing messages each of these customers was sent since then."""
        ...


class Store(StoreView, Protocol):
    """The store as the orchestrator sees it: readable, and changeable once per key."""

    async def apply(self, action: Action, *, key: str, actor: str = "system") -> Outcome:
        """Do the action at most once per key, and return its outcome.

        Effect, key and outbox event are one transaction. A key already seen returns its first
        outcome and changes nothing; the same key with another action raises `KeyReused`.
        What the shop's state forbids is an `Outcome` with a code, not an exception.
        Raises `Retryable` errors (`StorageBusy`, `StorageFull`, `OutcomeUnknown`, …) after which
        the same call is safe to repeat.
        """
        ...

    async def apply_batch(self, batch: Sequence[Command]) -> Sequence[Outcome]:
        """Apply up to 500 actions in order, in one transaction; a refused one stops no other."""
        ...

    async def outbox(self, after: int, *, limit: int = 500) -> Sequence[tuple[int, EventEnvelope]]:
        """Return facts the store recorded after that position, in order, with their positions."""
        ...

    async def outcome(self, key: str) -> Outcome | None:
        """Return the outcome recorded under this key, or None if nothing was done under it."""
        ...

    async def applied_keys(self, prefix: str = "") -> Sequence[str]:
        """Return the keys under which an effect happened, in order, for the books' proof."""
        ...

    async def verify(self) -> Sequence[Discrepancy]:
        """Recompute the books (stock, reservations, payments, states) and return what is wrong."""
        ...

    async def close(self) -> None:
        """Release every connection."""
        ...


class Listings(Protocol):
    """Pages of what a shop has many of, for who reads them one after the other."""

    async def product_page(self, *, page: int, per_page: int) -> Page[Product]:
        """Return one page of the products, by SKU."""
        ...

    async def stock_page(self, *, page: int, per_page: int) -> Page[StockLevel]:
        """Return one page of the stock levels, by SKU, then warehouse."""
        ...

    async def stocked_skus(self, *, page: int, per_page: int) -> Sequence[str]:
        """Return one page of the SKUs that have a stock level, in order."""
        ...

    async def customer_page(self, *, page: int, per_page: int) -> Page[Customer]:
        """Return one page of the customers, by id."""
        ...

    async def purchase_page(
        self, *, status: str | None, page: int, per_page: int
    ) -> Page[PurchaseOrder]:
        """Return one page of the purchase orders of this status (all when None), oldest first."""
        ...


class ListedStore(Store, Listings, Protocol):
    """The store as the API sees it: its lists can be read page by page."""
