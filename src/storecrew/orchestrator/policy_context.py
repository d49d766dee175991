"""Looking up, in bulk, what the policy needs to know about a chunk of proposals."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from storecrew.domain.actions import Action
from storecrew.domain.errors import NotFound
from storecrew.domain.money import Money
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.catalog import Product, SetPrice, UpsertProduct
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.orders import RESERVING, Order, PlaceOrder
from storecrew.domain.shop.payments import SetPaymentMethod
from storecrew.domain.shop.promotions import CreateDiscount, OfferBundle, StartCampaign
from storecrew.domain.shop.support import ReplyToTicket, Ticket
from storecrew.policy import Audience, PolicyFacts, ReservedUnits

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class PolicyContext:
    """The state of the shop around a chunk of actions."""

    now: datetime
    currency: str
    products: Mapping[str, Product]
    prices_a_day_ago: Mapping[str, Money]
    orders: Mapping[int, Order]
    customers: Mapping[str, Customer]
    messages: Mapping[str, int]
    discounts: Mapping[str, Decimal]
    """The largest share that a discount in force takes off each price."""
    tickets: Mapping[str, Ticket]
    payment_methods: Mapping[str, bool]
    reservations: Mapping[tuple[str, str], ReservedUnits]
    """What each customer would hold of each product that is ordered."""
    messages_per_week: int

    def of(
        self,
        action: Action,
        spent: Money,
        left: Money | None = None,
        asked: Money | None = None,
    ) -> PolicyFacts:
        """Return the facts around one action, given what was spent, is left, and was asked for."""
        sku = getattr(action, "sku", None)
        customer = getattr(action, "customer", None)
        product = self.products.get(sku) if sku is not None else None
        before = self.prices_a_day_ago.get(sku) if sku is not None else None
        return PolicyFacts(
            now=self.now,
            currency=self.currency,
            product=product,
            price_a_day_ago=before or (product.price if product else None),
            discounted=self.discounts.get(sku or "", Decimal(0)),
            products={s: self.products[s] for s in _offered(action) if s in self.products},
            reach=self._reach(action) if isinstance(action, StartCampaign) else None,
            ticket=self.tickets.get(getattr(action, "ticket_id", "")),
            payment_methods=self.payment_methods,
            reservations=self._reservations(action),
            order=self.orders.get(getattr(action, "order_id", 0)),
            customer=self.customers.get(customer) if isinstance(customer, str) else None,
            messages_this_week=self.messages.get(customer, 0) if isinstance(customer, str) else 0,
            spent_today=spent,
            asked_today=asked,
            money_left=left,
        )

    def _reservations(self, action: Action) -> dict[str, ReservedUnits]:
        if not isinstance(action, PlaceOrder):
            return {}
        customer = action.customer or ""
        return {line.sku: self.reservations[customer, line.sku] for line in action.lines}

    def _reach(self, action: StartCampaign) -> Audience:
        found = [self.customers.get(each) for each in action.recipients]
        sent = (self.messages.get(each, 0) for each in action.recipients)
        return Audience(
            unknown=sum(each is None for each in found),
            without_consent=sum(each is not None and not each.marketing_consent for each in found),
            over_frequency_cap=sum(count >= self.messages_per_week for count in sent),
        )


async def load_policy_context(
    store: StoreView, actions: Sequence[Action], now: datetime, currency: str, weekly: int = 0
) -> PolicyContext:
    """Look up what these actions touch; `weekly` is how many marketing messages are enough."""
    skus = sorted({a.sku for a in actions if hasattr(a, "sku")} | {*_every(actions, _offered)})
    priced = sorted({a.sku for a in actions if isinstance(a, SetPrice | UpsertProduct)})
    touched = sorted({getattr(a, "order_id", 0) or 0 for a in actions} - {0})
    written_to = sorted({a.customer for a in actions if isinstance(a, SendMessage)})
    many = sorted({*_every(actions, _recipients)})
    return PolicyContext(
        now=now,
        currency=currency,
        products={p.sku: p for p in await store.products(skus)} if skus else {},
        prices_a_day_ago=await _prices_a_day_ago(store, priced, now) if priced else {},
        orders={o.id: o for o in await store.orders_by_id(touched)} if touched else {},
        customers=await _customers(store, written_to, many),
        messages=await _messages(store, [*written_to, *many], now),
        discounts=await _discounts(store, now) if priced else {},
        tickets=await _tickets(store, actions),
        payment_methods=await _payment_methods(store, actions),
        reservations=await _reservations(store, actions),
        messages_per_week=weekly,
    )


def _offered(action: Action) -> Sequence[str]:
    return action.skus if isinstance(action, CreateDiscount | OfferBundle) else ()


def _recipients(action: Action) -> Sequence[str]:
    return action.recipients if isinstance(action, StartCampaign) else ()


def _every(actions: Sequence[Action], names: Callable[[Action], Sequence[str]]) -> Iterator[str]:
    return (name for action in actions for name in names(action))


async def _messages(store: StoreView, customers: Sequence[str], now: datetime) -> Mapping[str, int]:
    return await store.messages_sent(customers, now - _WEEK) if customers else {}


async def _discounts(store: StoreView, now: datetime) -> dict[str, Decimal]:
    """Return the largest share off per product, also of discounts that are yet to begin."""
    found: dict[str, Decimal] = {}
    for each in await store.discounts(ending_after=now):
        for sku in each.skus:
            found[sku] = max(found.get(sku, Decimal(0)), each.percent / 100)
    return found


async def _reservations(
    store: StoreView, actions: Sequence[Action]
) -> dict[tuple[str, str], ReservedUnits]:
    """Sum, by customer and product, what is reserved unpaid and what these orders would add."""
    placed = [action for action in actions if isinstance(action, PlaceOrder)]
    if not placed:
        return {}
    customers = {action.customer or "" for action in placed}
    units: dict[tuple[str, str], int] = {}
    unpaid = [o for o in await store.open_orders() if o.status in RESERVING and not o.is_paid]
    orders: list[PlaceOrder | Order] = [*placed, *unpaid]
    for order in orders:
        if (customer := order.customer or "") in customers:
            for line in order.lines:
                key = customer, line.sku
                units[key] = units.get(key, 0) + line.quantity
    on_hand: dict[str, int] = {}
    for level in await store.stock({sku for _, sku in units}):
        on_hand[level.sku] = on_hand.get(level.sku, 0) + level.on_hand
    return {
        (customer, sku): ReservedUnits(units=number, on_hand=on_hand.get(sku, 0))
        for (customer, sku), number in units.items()
    }


async def _tickets(store: StoreView, actions: Sequence[Action]) -> dict[str, Ticket]:
    found = {}
    for ticket_id in sorted({a.ticket_id for a in actions if isinstance(a, ReplyToTicket)}):
        try:
            found[ticket_id] = await store.ticket(ticket_id)
        except NotFound:
            continue  # the rules say so in their own words
    return found


async def _payment_methods(store: StoreView, actions: Sequence[Action]) -> Mapping[str, bool]:
    needs_methods = any(isinstance(action, SetPaymentMethod) for action in actions)
    return await store.payment_methods() if needs_methods else {}


async def _prices_a_day_ago(
    store: StoreView, skus: Sequence[str], now: datetime
) -> dict[str, Money]:
    """Return the prices of before each product's first change of the day; others did not move."""
    prices: dict[str, Money] = {}
    for change in await store.price_changes(now - _DAY, skus):
        prices.setdefault(change.sku, change.previous or change.price)
    return prices


async def _customers(
    store: StoreView, ids: Sequence[str], many: Sequence[str]
) -> dict[str, Customer]:
    """Return these customers; of many at once all are read, which is one look."""
    found = {}
    if many:
        order_ids = {*ids, *many}
        return {each.id: each for each in await store.customers() if each.id in order_ids}
    for customer_id in ids:
        try:
            found[customer_id] = await store.customer(customer_id)
        except NotFound:
            continue  # the rules and the store each say so in their own words
    return found
