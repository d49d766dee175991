"""Looking up, in bulk, what the policy needs to know about a chunk of proposals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storecrew.domain.actions import Action, SendMessage, SetPrice
from storecrew.domain.commerce import Customer, Order, Product
from storecrew.domain.errors import NotFound
from storecrew.domain.money import Money
from storecrew.domain.ports import StoreView
from storecrew.policy import Facts

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The state of the shop around a chunk of actions."""

    now: datetime
    currency: str
    products: Mapping[str, Product]
    prices_a_day_ago: Mapping[str, Money]
    orders: Mapping[int, Order]
    customers: Mapping[str, Customer]
    messages: Mapping[str, int]

    def of(self, action: Action, spent: Money) -> Facts:
        """Return the facts around one action, given what was spent today."""
        sku = getattr(action, "sku", None)
        customer = getattr(action, "customer", None)
        product = self.products.get(sku) if sku is not None else None
        before = self.prices_a_day_ago.get(sku) if sku is not None else None
        return Facts(
            now=self.now,
            currency=self.currency,
            product=product,
            price_a_day_ago=before or (product.price if product else None),
            order=self.orders.get(getattr(action, "order_id", 0)),
            customer=self.customers.get(customer) if isinstance(customer, str) else None,
            messages_this_week=self.messages.get(customer, 0) if isinstance(customer, str) else 0,
            spent_today=spent,
        )


async def look_around(
    store: StoreView, actions: Sequence[Action], now: datetime, currency: str
) -> Surroundings:
    """Look up what these actions touch."""
    skus = sorted({a.sku for a in actions if hasattr(a, "sku")})
    priced = sorted({a.sku for a in actions if isinstance(a, SetPrice)})
    touched = sorted({getattr(a, "order_id", 0) for a in actions} - {0})
    written_to = sorted({a.customer for a in actions if isinstance(a, SendMessage)})
    return Surroundings(
        now=now,
        currency=currency,
        products={p.sku: p for p in await store.products(skus)} if skus else {},
        prices_a_day_ago=await _prices_a_day_ago(store, priced, now) if priced else {},
        orders={o.id: o for o in await store.orders_by_id(touched)} if touched else {},
        customers=await _customers(store, written_to),
        messages=await store.messages_sent(written_to, now - _WEEK) if written_to else {},
    )


async def _prices_a_day_ago(
    store: StoreView, skus: Sequence[str], now: datetime
) -> dict[str, Money]:
    """Return the prices of before each product's first change of the day; others did not move."""
    prices: dict[str, Money] = {}
    for change in await store.price_changes(now - _DAY, skus):
        prices.setdefault(change.sku, change.previous or change.price)
    return prices


async def _customers(store: StoreView, ids: Sequence[str]) -> dict[str, Customer]:
    found = {}
    for customer_id in ids:
        try:
            found[customer_id] = await store.customer(customer_id)
        except NotFound:
            continue  # the rules and the store each say so in their own words
    return found
