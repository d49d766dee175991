"""What lies too long: a code for it, where selling sooner at less earns more than waiting."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from storecrew.agents.marketing.settings import MarketingSettings
from storecrew.agents.marketing.snapshot import Buyers, InventorySnapshot
from storecrew.domain.control.proposals import Effect
from storecrew.domain.money import Money
from storecrew.domain.ports.models import Models
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.promotions import CreateDiscount, Discount
from storecrew.models.lift import NormalBelief
from storecrew.models.promotion_forecast import uplift
from storecrew.sdk import Proposal

KIND = "clear"
_HOLDING = 0.20
"""Cost of keeping goods for a year, as a share of what they cost; as in the backtest's reports."""
_LOW, _HIGH = 0.1, 0.9


@dataclass(frozen=True, kw_only=True)
class Clearance:
    """Everything that codes are decided on."""

    shelf: InventorySnapshot
    models: Models
    buyers: Buyers
    belief: NormalBelief
    settings: MarketingSettings
    now: datetime


@dataclass(frozen=True, kw_only=True)
class OverstockItem:
    """A product with more on the shelf than will be sold for long, and who would be told of it."""

    product: Product
    cost: Money
    available: int
    daily: float
    notified: Sequence[str]
    share: float
    """The part of the product's units that those who are told buy."""
    uplift: float
    """Times as much that they buy at the code's price."""

    @property
    def cover(self) -> float:
        """Days that the stock lasts at the usual demand."""
        return self.available / self.daily


def slowest(clearing: Clearance) -> tuple[OverstockItem, Effect] | None:
    """Return the overstocked product for which a code promises most, None where none pays."""
    found = [
        (slow, _effect(slow, clearing))
        for sku in sorted(clearing.shelf.products)
        if (slow := _judge(sku, clearing)) is not None
    ]
    least = Decimal(str(clearing.settings.min_gain))
    paying = [
        (slow, effect)
        for slow, effect in found
        if effect.expected.amount >= least and effect.low.amount >= 0
    ]
    return max(paying, key=lambda pair: pair[1].expected.amount, default=None)


def proposal(slow: OverstockItem, effect: Effect, clearing: Clearance) -> Proposal:
    """Return the proposal of the code; the letter that tells of it follows once it exists."""
    product, settings, now = slow.product, clearing.settings, clearing.now
    percent = Decimal(f"{settings.discount_percent:g}")
    price = lowered(product.price, percent)
    return Proposal(
        action=CreateDiscount(
            code=_code(product.sku, now),
            percent=percent,
            skus=(product.sku,),
            starts_at=now,
            ends_at=now + timedelta(days=settings.window_days),
        ),
        reason=(
            f"{slow.available} of {product.name} last {slow.cover:.0f} days. A code makes it "
            f"{price} for {settings.window_days} days, sent to {len(slow.notified)} customers."
        ),
        evidence={
            "available": slow.available,
            "daily_demand": round(slow.daily, 3),
            "days_of_cover_p50": round(slow.cover, 1),
            "overstock_from_days": settings.overstock_days,
            "price": str(product.price),
            "price_with_code": str(price),
            "cost": str(slow.cost),
            "margin_with_code": round(1 - float(slow.cost.amount / price.amount), 3),
            "margin_floor": settings.margin_floor,
            "their_share_of_its_sales": round(slow.share, 3),
            "they_buy_at_that_price": f"{slow.uplift:.2f} times as much",
            "they_buy_by_the_letter": f"{1 + clearing.belief.mean:.2f} times as much",
            "money_tied_up": str((slow.cost * slow.available).rounded()),
            "customers_to_be_told": len(slow.notified),
            "window_days": settings.window_days,
        },
        effect=effect,
        assumptions=tuple(_NAMES[name] for name in product.assumed if name in _NAMES),
    )


_NAMES = {"cost": "cost", "stock": "stock level"}
"""What a code rests on of what may be assumed of a product, as an owner calls it."""


def lowered(price: Money, percent: Decimal) -> Money:
    """Return the price with a code."""
    return Money(price.amount * (1 - percent / 100), price.currency).rounded()


def product_of(discount: Discount, shelf: InventorySnapshot) -> Product | None:
    """Return the product that a code of this agent is for."""
    ours = discount.code.startswith("CLEAR-") and len(discount.skus) == 1
    return shelf.products.get(discount.skus[0]) if ours else None


def _judge(sku: str, clearing: Clearance) -> OverstockItem | None:
    """Return the product where it is overstocked and a code leaves the margin, else None."""
    shelf, settings = clearing.shelf, clearing.settings
    product, forecast = shelf.products[sku], shelf.forecasts.get(sku)
    available = shelf.available.get(sku, 0)
    if forecast is None or forecast.daily <= 0 or not product.stocked or product.cost is None:
        return None
    if available / forecast.daily <= settings.overstock_days:
        return None
    price = lowered(product.price, Decimal(str(settings.discount_percent)))
    floor = product.cost.amount / (1 - Decimal(str(settings.margin_floor)))
    if product.cost.currency != price.currency or price.amount < floor:
        return None
    notified = clearing.buyers.notified(sku, clearing.models)
    if len(notified) < settings.min_segment_size:
        return None
    return OverstockItem(
        product=product,
        cost=product.cost,
        available=available,
        daily=forecast.daily,
        notified=notified,
        share=clearing.buyers.share(sku, notified),
        uplift=uplift(clearing.models, sku, settings.discount_percent),
    )


def _effect(slow: OverstockItem, clearing: Clearance) -> Effect:
    """Return what the code brings: the margin of what those who are told buy with it, less that of
    what they buy anyway, and the keeping saved on what is sold sooner, for half the days that it
    would have lain; less the cost of writing.
    """
    settings = clearing.settings
    usual = slow.daily * settings.window_days * slow.share
    price, unit = float(slow.product.price.amount), float(slow.cost.amount)
    cheap = price * (1 - settings.discount_percent / 100)
    kept = unit * _HOLDING / 365 * slow.cover / 2
    writing = settings.cost_per_message * len(slow.notified)

    def brought(share: float) -> Money:
        sold = min(float(slow.available), usual * slow.uplift * (1 + max(share, 0.0)))
        earned = sold * (cheap - unit) - usual * (price - unit) + max(0.0, sold - usual) * kept
        amount = Decimal(str(round(earned - writing, 4)))
        return Money(amount, slow.product.price.currency).rounded()

    low, expected, high = sorted((brought(b) for b in _bounds(clearing.belief)), key=_amount)
    return Effect(low=low, expected=expected, high=high)


def _amount(money: Money) -> Decimal:
    return money.amount


def _bounds(belief: NormalBelief) -> tuple[float, float, float]:
    return belief.bound(_LOW), belief.mean, belief.bound(_HIGH)


def _code(sku: str, now: datetime) -> str:
    """Return the week's code for a product."""
    year, week, _ = now.isocalendar()
    plain = re.sub(r"[^A-Z0-9]+", "", sku.upper())[:16]
    return f"CLEAR-{plain}-{year % 100}W{week:02d}"
