"""What a rule may know: the state of the shop around one action, looked up beforehand."""

from dataclasses import dataclass
from datetime import datetime

from storecrew.domain.actions import Action, Reorder
from storecrew.domain.commerce import Customer, Order, Product
from storecrew.domain.money import Money


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The shop around one action, at the moment of judging."""

    now: datetime
    currency: str
    product: Product | None = None
    price_a_day_ago: Money | None = None
    """The product's price 24 hours ago, or its first price where it was not for sale yet."""
    order: Order | None = None
    customer: Customer | None = None
    messages_this_week: int = 0
    """Marketing messages that the customer was sent in the last seven days."""
    spent_today: Money | None = None
    """What was allowed for purchases since the shop's midnight."""


def spending(action: Action, product: Product | None) -> Money | None:
    """Return what the action takes from the purchasing budget; None where it takes nothing."""
    if not isinstance(action, Reorder) or product is None or product.cost is None:
        return None
    return product.cost * action.quantity
