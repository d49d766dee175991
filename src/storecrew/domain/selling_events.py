"""Facts about what is offered to customers, and what they do in the shop's window."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from storecrew.domain.events import Event
from storecrew.domain.money import Money


@dataclass(frozen=True, kw_only=True)
class PromotionPlanned(Event):
    """Products will be cheaper for a while."""

    code: str
    skus: tuple[str, ...]
    percent: Decimal
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class PromotionEnded(Event):
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


@dataclass(frozen=True, kw_only=True)
class CustomerActed(Event):
    """A customer did something in the shop's window."""

    customer: str
    kind: str
    """`viewed`, `carted` or `searched`."""
    sku: str = ""
    text: str = ""

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"
