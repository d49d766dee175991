"""What is offered to customers: discounts, bundles, recommendations, campaigns, ideas.

Values as a store keeps them, and the actions that change them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from storecrew.domain.actions import Action
from storecrew.domain.money import Money


@dataclass(frozen=True, kw_only=True)
class Discount:
    """A code that lowers prices for a while."""

    code: str
    percent: Decimal
    """Per cent off, above 0 and below 100."""
    skus: tuple[str, ...]
    """Products it holds for."""
    customers: tuple[str, ...] = ()
    """Who may use it; empty is everybody."""
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Products that cost less together."""

    name: str
    skus: tuple[str, ...]
    price: Money
    """Of one unit of each."""


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """A message to many, with some who are left out so that its effect can be measured."""

    name: str
    segment: str
    """Who was chosen, in words."""
    title: str
    body: str = ""
    started_at: datetime
    ends_at: datetime
    """Until when its effect is counted."""
    recipients: tuple[str, ...]
    """Customers whose message was queued."""
    holdout: tuple[str, ...]
    """Customers chosen alike who are written nothing."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A product that the shop might take up."""

    name: str
    reason: str
    source: str
    suggested_at: datetime


@dataclass(frozen=True, kw_only=True)
class WatchedRival:
    """A page on which a rival's price for our product is looked up."""

    sku: str
    rival: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Spending:
    """What one customer bought in a period; orders called off do not count."""

    orders: int
    value: Money
    last_at: datetime


@dataclass(frozen=True, kw_only=True)
class TradeHour:
    """What one hour of trade brought; orders called off do not count."""

    hour: datetime
    """Its beginning, UTC."""
    orders: int
    value: Money
    refunds: Money
    """Paid back in that hour, whenever it was sold."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """Something a customer did in the shop's window."""

    customer: str
    kind: str
    """`viewed`, `carted` or `searched`."""
    at: datetime
    sku: str = ""
    text: str = ""
    """What was searched for."""


@dataclass(frozen=True, kw_only=True)
class CreateDiscount(Action):
    """Lower prices for who uses this code, between two moments."""

    code: str
    percent: Decimal
    skus: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    customers: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The code."""
        return f"discount:{self.code}"


@dataclass(frozen=True, kw_only=True)
class EndDiscount(Action):
    """Take a code back; orders placed with it stay."""

    code: str

    @property
    def subject(self) -> str:
        """The code."""
        return f"discount:{self.code}"


@dataclass(frozen=True, kw_only=True)
class OfferBundle(Action):
    """Offer one unit of each of these products together at this price."""

    name: str
    skus: tuple[str, ...]
    price: Money

    @property
    def subject(self) -> str:
        """The bundle."""
        return f"bundle:{self.name}"


@dataclass(frozen=True, kw_only=True)
class WithdrawBundle(Action):
    """Offer the bundle no longer."""

    name: str

    @property
    def subject(self) -> str:
        """The bundle."""
        return f"bundle:{self.name}"


@dataclass(frozen=True, kw_only=True)
class SetRecommendations(Action):
    """Show these products in a place of the shop, best first; none shows none."""

    place: str
    """`home`, `product:<sku>` or `customer:<id>`."""
    skus: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The place."""
        return f"place:{self.place}"


@dataclass(frozen=True, kw_only=True)
class StartCampaign(Action):
    """Queue one marketing message to each recipient; the holdout is written nothing.

    Who did not agree to marketing, or opted out meanwhile, is left out and counted. A campaign of
    one name happens once.
    """

    name: str
    segment: str
    title: str
    body: str
    recipients: tuple[str, ...]
    holdout: tuple[str, ...] = ()
    ends_at: datetime

    @property
    def subject(self) -> str:
        """The campaign."""
        return f"campaign:{self.name}"


@dataclass(frozen=True, kw_only=True)
class SuggestProduct(Action):
    """Put a product that the shop might take up on the owner's list."""

    name: str
    reason: str
    source: str

    @property
    def subject(self) -> str:
        """The idea."""
        return f"idea:{self.name}"


@dataclass(frozen=True, kw_only=True)
class WatchRival(Action):
    """Look up a rival's price for our product on this page from now on."""

    sku: str
    rival: str
    url: str

    @property
    def subject(self) -> str:
        """The product."""
        return f"product:{self.sku}"


@dataclass(frozen=True, kw_only=True)
class RecordAct(Action):
    """Note what a customer did in the shop's window. An observation."""

    customer: str
    kind: str
    sku: str = ""
    text: str = ""

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"
