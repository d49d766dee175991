"""What a rule may know: the state of the shop around one action, looked up beforehand."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from storecrew.domain.actions import Action
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.orders import CancelOrder, Order
from storecrew.domain.shop.payments import Refund
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.domain.shop.support import Ticket


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Whom a campaign would write to."""

    unknown: int = 0
    """Recipients that are no customers."""
    without_consent: int = 0
    over_frequency_cap: int = 0
    """Recipients who got as many marketing messages this week as the policy allows."""


@dataclass(frozen=True, kw_only=True)
class PlaneFacts:
    """The plane around an operation on it."""

    agents: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])
    """Tags of the agents on duty, by name."""
    restarts: Mapping[str, int] = field(default_factory=dict[str, int])
    """How often the crew restarted each service within the last 24 hours."""


@dataclass(frozen=True, kw_only=True)
class ReservedUnits:
    """What one customer would hold of a product, unpaid, and what is on the shelf."""

    units: int
    """Units in the customer's unpaid orders, this one and others proposed with it included."""
    on_hand: int


@dataclass(frozen=True, kw_only=True)
class PolicyFacts:
    """The shop around one action, at the moment of judging."""

    now: datetime
    currency: str
    product: Product | None = None
    price_a_day_ago: Money | None = None
    """The product's price 24 hours ago, or its first price where it was not for sale yet."""
    discounted: Decimal = Decimal(0)
    """The largest share that a discount in force takes off the product's price."""
    products: Mapping[str, Product] = field(default_factory=dict[str, Product])
    """The products that an offer is about."""
    reach: Audience | None = None
    ticket: Ticket | None = None
    payment_methods: Mapping[str, bool] = field(default_factory=dict[str, bool])
    order: Order | None = None
    reservations: Mapping[str, ReservedUnits] = field(default_factory=dict[str, ReservedUnits])
    """By product of an order that would be placed."""
    customer: Customer | None = None
    messages_this_week: int = 0
    """Marketing messages that the customer was sent in the last seven days."""
    spent_today: Money | None = None
    """What was allowed for purchases since the shop's midnight."""
    asked_today: Money | None = None
    """What the purchases would cost that were asked about since the shop's midnight."""
    money_left: Money | None = None
    """What is left of the agent's own budget of the day; None where it has none."""
    plane: PlaneFacts = field(default_factory=PlaneFacts)
    """Known of operations on the plane alone."""


def budget_spend(action: Action, product: Product | None) -> Money | None:
    """Return what the action takes from the purchasing budget; None where it takes nothing."""
    if not isinstance(action, CreatePurchaseOrder) or product is None or product.cost is None:
        return None
    return product.cost * action.quantity


def cash_out(action: Action, facts: PolicyFacts) -> Money | None:
    """Return the money that leaves the shop by the action; None where none does."""
    if isinstance(action, AcceptReturn | CancelOrder | Refund):
        return facts.order.paid if facts.order is not None else None
    return budget_spend(action, facts.product)
