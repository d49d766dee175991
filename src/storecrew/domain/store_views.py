"""The parts of a store that agents look at beside catalogue, stock and orders."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from storecrew.domain.care import Ticket, TicketStatus
from storecrew.domain.commerce import Authorization, Customer, Product, Purchase, StockLevel
from storecrew.domain.pages import Page
from storecrew.domain.selling import (
    Act,
    Bundle,
    Campaign,
    Discount,
    Spending,
    Suggestion,
    TradeHour,
    WatchedRival,
)


class SellingView(Protocol):
    """What is offered to customers, and what they do."""

    async def customers(self) -> Sequence[Customer]:
        """Return every customer, ordered by id."""
        ...

    async def spending(self, first: datetime, last: datetime) -> Mapping[str, Spending]:
        """Return what each known customer bought from `first` until before `last`."""
        ...

    async def trade_hours(self, since: datetime) -> Sequence[TradeHour]:
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

    async def suggestions(self) -> Sequence[Suggestion]:
        """Return products that were suggested, newest first."""
        ...

    async def watched_rivals(self) -> Sequence[WatchedRival]:
        """Return the pages of rivals that are looked up, by SKU, then rival."""
        ...

    async def acts(self, since: datetime, *, limit: int = 10_000) -> Sequence[Act]:
        """Return what customers did in the shop's window since then, oldest first."""
        ...


class CareView(Protocol):
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

    async def waiting_for(self, sku: str) -> Sequence[str]:
        """Return the customers who asked to be told when the product is back, by id."""
        ...

    async def topics_told(
        self, customers: Iterable[str], topics: Iterable[str]
    ) -> Mapping[str, Sequence[str]]:
        """Return which of these topics each of these customers was told of, in order."""
        ...

    async def suppressed(self, addresses: Iterable[str]) -> Mapping[str, str]:
        """Return which of these addresses are written to no more, and why."""
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
    ) -> Page[Purchase]:
        """Return one page of the purchase orders of this status (all when None), oldest first."""
        ...
