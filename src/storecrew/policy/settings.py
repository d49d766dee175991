"""The limits of the house, each with its unit and the reason for its default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class PolicySettings:
    """What the rules allow; the `policy` section of `storecrew.yaml`."""

    margin_floor: Decimal = Decimal("0.10")
    """Smallest margin of a price, as a share of the price: (price − cost) / price. A tenth
    covers payment fees and returns in most shops."""
    price_change_per_day: Decimal = Decimal("0.10")
    """Largest move of a price within 24 hours, as a share of the price it had then. Customers
    notice more."""
    reorder_budget_per_day: Decimal = Decimal(1000)
    """Most that all agents together may spend on purchase orders within a day, in the shop's
    currency, before a person is asked."""
    order_value_limit: Decimal = Decimal(500)
    """Orders above this value, in the shop's currency, are approved by a person."""
    refund_limit: Decimal = Decimal(100)
    """Returns and cancellations above this value, in the shop's currency, are decided by a
    person."""
    quiet_from: time = time(20, 0)
    """From this time of the shop's day no message is sent to customers."""
    quiet_until: time = time(8, 0)
    """From this time of the shop's day messages may be sent again."""
    zone: str = "UTC"
    """The shop's time zone (IANA name); its days and quiet hours are counted there."""
    messages_per_week: int = 2
    """Most marketing messages to one customer within seven days."""
    approval_expires_hours: int = 72
    """Hours after which an unanswered question expires; a price or purchase older than three
    days was decided on other facts."""
    default_autonomy: str = "ask"
    """For an agent and action that `autonomy` does not name: a new agent asks first."""
    autonomy: Mapping[str, str] = field(default_factory=lambda: {"*.PlaceOrder": "limits"})
    """`watch`, `ask`, `limits` or `auto` per `agent.Action`, where either may be `*`; the most
    particular line wins. At first only mailed orders are entered alone, which reserves stock and no
    more; everything else asks until its owner trusts it."""
