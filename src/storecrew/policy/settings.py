"""The policy's limits, each with its unit and the reason for its default."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal

_AT_FIRST = (
    "*.PlaceOrder",
    "order_management.CancelOrder",
    "*.HoldOrder",
    "*.EscalateTicket",
    "*.OpenIncident",
    "*.CloseIncident",
    "*.AssignTask",
    "*.RecordCompetitorPrice",
    "*.WithdrawCompetitorPrice",
)


@dataclass(frozen=True, kw_only=True)
class PolicySettings:
    """What the rules allow; the `policy` section of `storecrew.yaml`."""

    margin_floor: Decimal = Decimal("0.10")
    """Smallest margin of a price, as a share of the price: (price − cost) / price. A tenth
    covers payment fees and returns in most shops."""
    price_change_per_day: Decimal = Decimal("0.10")
    """Largest move of a price within 24 hours, as a share of the price it had then. Customers
    notice more."""
    purchase_budget_per_day: Decimal = Decimal(1000)
    """Most that all agents together may spend on purchase orders within a day, in the shop's
    currency, before a person is asked."""
    order_value_limit: Decimal = Decimal(500)
    """Orders above this value, in the shop's currency, are approved by a person."""
    refund_limit: Decimal = Decimal(100)
    """Returns and cancellations above this value, in the shop's currency, are decided by a
    person."""
    reserved_share: Decimal = Decimal("0.5")
    """Largest share of a product's units on hand that one customer's unpaid orders may hold before
    a person is asked: who orders everything keeps others from buying."""
    reserved_units: int = 20
    """Units of a product that one customer may hold in any case, however few are on hand."""
    quiet_from: time = time(20, 0)
    """From this time of the shop's day no message is sent to customers."""
    quiet_until: time = time(8, 0)
    """From this time of the shop's day messages may be sent again."""
    zone: str = "UTC"
    """The shop's time zone (IANA name); its days and quiet hours are counted there."""
    messages_per_week: int = 2
    """Most marketing messages to one customer within seven days."""
    discount_limit: Decimal = Decimal("0.20")
    """Largest discount, as a share, on a code or a bundle before a person is asked: what shops
    commonly give to win a customer back."""
    discount_days: int = 31
    """Most days a discount lasts before a person is asked: a month, or customers wait for it."""
    personal_offers: bool = False
    """Whether discounts for single customers may be created at all. Off, because people who
    compare find prices that differ by person unfair; on, the other limits hold for them too."""
    campaign_recipients: int = 1000
    """Most recipients of one campaign before a person is asked: a mistake reaches them all."""
    restarts_per_day: int = 3
    """Restarts of one service within 24 hours that the crew may do alone; what fails more often
    needs somebody to look."""
    link_hosts: tuple[str, ...] = ()
    """Hosts that messages to customers may link to without asking, such as `shop.example`: those
    of the shop. None lets no link out alone, because nobody said which are the shop's."""
    blocked_words: tuple[str, ...] = ()
    """Words that no message to customers holds before a person has read it."""
    approval_expires_hours: int = 72
    """Hours after which an unanswered question expires; a price or purchase older than three
    days was decided on other facts."""
    rejection_cooldown_days: int = 14
    """Days in which an agent does not ask again for the very thing that a person said no to; an
    order or a customer that waits is asked about sooner. 0 asks whenever an agent wishes it."""
    default_autonomy: str = "ask"
    """For an agent and action that `autonomy` does not name: a new agent asks first."""
    autonomy: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(_AT_FIRST, "limits"))
    """`watch`, `ask`, `limits` or `auto` per `agent.Action`, where either may be `*`; the most
    particular line wins. At first only that is done alone which moves neither goods nor money:
    mailed orders are entered, which reserves stock, and unpaid ones give it back; an odd order or
    question is put before a person, who is told of trouble; work is given to agents; rivals'
    prices are noted. Everything else asks until its owner trusts it."""
