"""Promotions: discounts, bundles, recommendations on pages, and campaigns."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from storecrew.domain.actions import Action
from storecrew.domain.events import Event
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
class DiscountCreated(Event):
    """Products will be cheaper for a while."""

    code: str
    skus: tuple[str, ...]
    percent: Decimal
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class DiscountEnded(Event):
    """A discount code holds no longer."""

    code: str


@dataclass(frozen=True, kw_only=True)
class BundleChanged(Event):
    """Products are offered together at a price, or no longer (without one)."""

    name: str
    skus: tuple[str, ...] = ()
    price: Money | None = None


@dataclass(frozen=True, kw_only=True)
class RecommendationsChanged(Event):
    """Other products are shown in a place of the shop."""

    place: str
    skus: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CampaignStarted(Event):
    """A message to many was queued."""

    campaign: str
    recipients: int
    holdout: int
