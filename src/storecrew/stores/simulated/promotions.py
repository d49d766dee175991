"""What the shop's window shows beside the price, and what that makes people do. Pure.

Shares are what retailers commonly report: one in ten who are shown what really goes with their
purchase adds it, one in fifty who get a mail buys within days. No agent sees them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from storecrew.domain.events import Event
from storecrew.domain.shop.orders import Line
from storecrew.domain.shop.promotions import (
    BundleChanged,
    DiscountCreated,
    DiscountEnded,
    RecommendationsChanged,
)
from storecrew.stores.simulated.catalog import SimulatedProduct
from storecrew.stores.simulated.demand import Shopper, behaviour_of

_ADDS = 0.10
"""Chance that who buys a product adds one that goes with it, if it is shown."""
_SHOWN = 6
"""Products of a place that people look at."""
_ADDS_FOR_LESS = 0.08
"""Chance that a bundle which really goes together makes who buys a part take all of it."""
_ANSWERS = 0.02
"""Chance that a mail makes its reader want something of the next days."""
_ANSWERS_SALE = 0.035
"""The same where the mail comes with a discount."""
_OPTS_OUT = 0.003
"""Chance that a marketing mail makes its reader opt out."""
_COMES_BACK = 0.4
"""Chance that who is told that a product is back still wants it."""


@dataclass(frozen=True, kw_only=True)
class Sale:
    """A discount for those who know its code."""

    code: str
    skus: frozenset[str]
    share: float
    starts_at: datetime
    ends_at: datetime


@dataclass
class Storefront:
    """What customers see now."""

    shown: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Recommendations by place."""
    bundles: dict[str, tuple[frozenset[str], int]] = field(
        default_factory=dict[str, tuple[frozenset[str], int]]
    )
    """Products and price in minor units, by name."""
    sales: dict[str, Sale] = field(default_factory=dict[str, Sale])
    told: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    """Customers, by number, who know of each code: those it was written to."""

    def note(self, event: Event) -> bool:
        """Take note of a fact about the window; tell whether it was one."""
        if isinstance(event, RecommendationsChanged):
            self.shown[event.place] = event.skus
        elif isinstance(event, DiscountCreated):
            self.sales[event.code] = Sale(
                code=event.code,
                skus=frozenset(event.skus),
                share=float(event.percent) / 100,
                starts_at=event.starts_at,
                ends_at=event.ends_at,
            )
        elif isinstance(event, DiscountEnded):
            self.sales.pop(event.code, None)
        elif isinstance(event, BundleChanged):
            if event.price is None:
                self.bundles.pop(event.name, None)
            else:
                self.bundles[event.name] = frozenset(event.skus), event.price.minor
        else:
            return False
        return True

    def sale(self, sku: str, now: datetime, customer: int) -> Sale | None:
        """Return the best discount on a product that a customer knows of now."""
        held = [
            s
            for s in self.sales.values()
            if sku in s.skus
            and s.starts_at <= now < s.ends_at
            and customer in self.told.get(s.code, ())
        ]
        return max(held, key=lambda s: (s.share, s.code), default=None)

    def bundle(self, lines: Sequence[Line]) -> str:
        """Return a bundle whose products are all in the basket, or nothing."""
        held = {line.sku for line in lines}
        return next((name for name, (skus, _) in sorted(self.bundles.items()) if skus <= held), "")

    def addition(self, shopper: Shopper, real: Sequence[str]) -> str | None:
        """Return what the window makes a shopper consider; `real` goes with the first product."""
        rng = _rng(f"window/{shopper.id}")
        look, less = rng.random(), rng.random()
        shown = [
            sku for sku in self.shown.get(f"product:{shopper.sku}", ())[:_SHOWN] if sku in real
        ]
        if shown and look < _ADDS:
            return shown[0]
        for skus, _ in self.bundles.values():
            others = skus - {shopper.sku}
            if shopper.sku in skus and len(others) == 1 and others <= {*real}:
                return min(others) if less < _ADDS_FOR_LESS else None
        return None


@dataclass(frozen=True, kw_only=True)
class CampaignResponse:
    """What a reader of a marketing mail does."""

    customer: int
    opts_out: bool
    buys: Shopper | None


def reader(
    seed: int,
    campaign: str,
    customer: int,
    skus: Sequence[SimulatedProduct],
    on_sale: bool,
    now: datetime,
) -> CampaignResponse:
    """Return a reader's response to a mail, independent of other recipients."""
    rng = _rng(f"{seed}/campaign/{campaign}/{customer}")
    luck, out, hours = rng.random(), rng.random(), rng.expovariate(1 / 36)
    wants = luck < (_ANSWERS_SALE if on_sale else _ANSWERS)
    at = now + timedelta(hours=min(hours, 120))
    shopper = _comes(rng, f"{campaign}/{customer}", customer, rng.choice(skus), at)
    return CampaignResponse(
        customer=customer, opts_out=out < _OPTS_OUT, buys=shopper if wants else None
    )


def returns_for(
    seed: int, article: SimulatedProduct, customer: int, now: datetime
) -> Shopper | None:
    """Return who comes because a product is back, if still interested."""
    rng = _rng(f"{seed}/back/{article.sku}/{customer}/{now.date().isoformat()}")
    if rng.random() >= _COMES_BACK:
        return None
    at = now + timedelta(hours=rng.uniform(0.5, 12))
    return _comes(rng, f"back/{customer}/{now.isoformat()}", customer, article, at)


def _comes(
    rng: Random, name: str, customer: int, article: SimulatedProduct, at: datetime
) -> Shopper:
    return Shopper(
        id=f"{name}/{article.sku}",
        at=at,
        sku=article.sku,
        quantity=1,
        reserve=rng.random() * 0.3,
        second=None,
        second_reserve=1.0,
        customer=customer,
        writes=False,
        manners=behaviour_of(rng, article.return_rate),
    )


def _rng(stream: str) -> Random:
    return Random(stream)  # noqa: S311 - a simulation, not a secret
