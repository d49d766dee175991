"""The simulated shop: a real store, and a market of customers and suppliers that acts on it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from storecrew.domain.actions import Action, Command
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.ports.store import Store
from storecrew.domain.shop.catalog import (
    RecordCompetitorPrice,
    UpsertProduct,
)
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import (
    SetStock,
    StockCount,
)
from storecrew.domain.shop.payments import SetPaymentMethod
from storecrew.domain.shop.purchasing import Supplier
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
    """A store, and the market that acts on it while virtual time passes.

    The same seed draws the same customers, rivals and suppliers, whoever runs the shop.
    """

    def __init__(self, store: SimulatedLedger, market: Market, clock: VirtualClock) -> None:
        self.store = store
        """Where the shop's orders, stock and prices stand."""
        self._market = market
        self._clock = clock

    @classmethod
    async def open(
        cls,
        store: SimulatedLedger,
        *,
        seed: int,
        clock: VirtualClock,
        currency: str = "EUR",
        size: int = 120,
        units: float = 55.0,
    ) -> "SimulatedShop":
        """Stock the store with this seed's catalogue, unless that was done before."""
        sold = articles(seed, size=size, units_a_day=units)
        people = customers(seed)
        market = Market(store, seed, sold, len(people), currency)
        await store.put_customers(people)
        await store.put_suppliers(SUPPLIERS)
        await _stock(store, market)
        await market.open()
        return cls(store, market, clock)

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


async def _stock(store: Store, market: Market) -> None:
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
        recorded = RecordCompetitorPrice(sku=sku, competitor=rival, price=market.money(tag))
        found.append((f"rival/{sku}/{rival}", recorded))
    keyed = [
        Command(key=f"{ACTOR}/{market.seed}/{key}", action=action, actor=ACTOR)
        for key, action in found
    ]
    for start in range(0, len(keyed), 500):
        await store.apply_batch(keyed[start : start + 500])
