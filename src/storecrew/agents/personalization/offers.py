"""What is offered for less: pairs that go together, and what a customer left in the cart."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from storecrew.agents.personalization.settings import PersonalizationSettings
from storecrew.agents.personalization.snapshot import StorefrontSnapshot
from storecrew.domain.control.proposals import Effect
from storecrew.domain.money import Money
from storecrew.domain.ports.models import ProductAffinity
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.promotions import Bundle, CreateDiscount, OfferBundle, WithdrawBundle
from storecrew.models.promotion_forecast import uplift
from storecrew.models.recommendation import Worth, bundle_price
from storecrew.sdk import Proposal

_STEPS = 4
"""Savings tried for a bundle, up to the largest."""
_MOST_PAIRS = 200
_MONTH = 28
_DOUBT = (0.5, 1.0, 1.5)
"""Shares of the expected answer to a saving for low, expected and high: nobody measured it."""


@dataclass(frozen=True, kw_only=True)
class _Offer:
    """A bundle that would pay."""

    pair: ProductAffinity
    products: tuple[Product, Product]
    price: Money
    gains: tuple[float, float, float]
    """A month, at each of `_DOUBT`."""


def new_bundles(
    window: StorefrontSnapshot, offered: Sequence[Bundle], settings: PersonalizationSettings
) -> Iterator[Proposal]:
    """Propose pairs to offer together that are not yet, where that should earn more than it costs.

    What customers save who buy both anyway is set against what is earned from those who then take
    the other product too.
    """
    room = min(settings.max_new_bundles, settings.max_bundles - len(offered))
    known = {frozenset(bundle.skus) for bundle in offered}
    held = {sku for bundle in offered for sku in bundle.skus}
    for pair in window.pairs(_MOST_PAIRS):
        if room < 1:
            return
        if frozenset(pair.skus) in known or held & set(pair.skus):
            continue
        if (offer := _offer(pair, window, settings)) is not None:
            room -= 1
            held |= set(pair.skus)
            yield _bundle(offer, settings)


def old_bundles(
    window: StorefrontSnapshot, offered: Sequence[Bundle], settings: PersonalizationSettings
) -> Iterator[Proposal]:
    """Propose to withdraw bundles that cannot be had, or whose margin fell below the floor."""
    for bundle in offered:
        products = [window.products[sku] for sku in bundle.skus if sku in window.products]
        why = _why_not(bundle, products, window, settings)
        if why:
            yield Proposal(
                action=WithdrawBundle(name=bundle.name),
                reason=f"{bundle.name}: {why}.",
                evidence={"price": str(bundle.price), "products": ", ".join(bundle.skus)},
            )


def personal(
    carts: Mapping[str, str],
    window: StorefrontSnapshot,
    now: datetime,
    settings: PersonalizationSettings,
) -> Iterator[Proposal]:
    """Propose a discount for one customer on what was left in the cart, above the margin floor."""
    percent = Decimal(f"{settings.personal_discount_percent:g}")
    for customer, sku in sorted(carts.items())[: settings.max_personal_offers]:
        product = window.products[sku]
        price = Money(product.price.amount * (1 - percent / 100), product.price.currency).rounded()
        if sku not in window.for_sale or not _keeps_margin(price, [product], settings):
            continue
        yield Proposal(
            action=CreateDiscount(
                code=_code(customer, sku, now),
                percent=percent,
                skus=(sku,),
                customers=(customer,),
                starts_at=now,
                ends_at=now + timedelta(days=settings.personal_offer_days),
            ),
            reason=(
                f"{customer} put {product.name} into the cart and did not order it; "
                f"{percent} % off makes it {price}."
            ),
            evidence={
                "price": str(product.price),
                "price_with_offer": str(price),
                "cost": str(product.cost),
                "margin_with_offer": _margin(price, [product]),
                "margin_floor": settings.margin_floor,
                "holds_days": settings.personal_offer_days,
            },
        )


def _offer(
    pair: ProductAffinity, window: StorefrontSnapshot, settings: PersonalizationSettings
) -> _Offer | None:
    """Return the bundle at the saving that should earn most, None where none pays."""
    if not all(sku in window.for_sale for sku in pair.skus):
        return None
    one, two = (window.products[sku] for sku in pair.skus)
    if one.cost is None or two.cost is None or one.price.currency != two.price.currency:
        return None
    worths = [Worth(price=p.price.amount, cost=p.cost.amount) for p in (one, two) if p.cost]
    found: list[_Offer] = []
    for step in range(1, _STEPS + 1):
        discount = Decimal(f"{settings.max_bundle_discount_percent * step / _STEPS / 100:.4f}")
        floor = Decimal(f"{settings.margin_floor}")
        price = bundle_price(worths, discount=discount, floor=floor)
        if price is None:
            continue
        saving = float(worths[0].price + worths[1].price - price)
        gains = tuple(_gain(pair, (one, two), saving, window, doubt) for doubt in _DOUBT)
        found.append(
            _Offer(
                pair=pair,
                products=(one, two),
                price=Money(price, one.price.currency),
                gains=(gains[0], gains[1], gains[2]),
            )
        )
    best = max(found, key=lambda offer: offer.gains[1], default=None)
    return best if best is not None and best.gains[1] >= settings.min_gain else None


def _gain(
    pair: ProductAffinity,
    products: tuple[Product, Product],
    saving: float,
    window: StorefrontSnapshot,
    doubt: float,
) -> float:
    """Return what a saving earns a month.

    Half of those who buy both came for either product; the saving makes the other one cheaper for
    them, and they answer to it as to any price. All who buy both get the saving.
    """
    both = pair.together * _MONTH / max(pair.days, 1.0)
    gain = 0.0
    for other in products:
        price, cost = float(other.price.amount), float(other.cost.amount if other.cost else 0)
        percent = min(100 * saving / price, 99.0)
        more = doubt * (uplift(window.models, other.sku, percent) - 1)
        gain += both / 2 * (more * (price - saving - cost) - saving)
    return gain


def _bundle(offer: _Offer, settings: PersonalizationSettings) -> Proposal:
    one, two = offer.products
    apart = one.price + two.price
    saving = apart - offer.price
    low, expected, high = (
        Money(Decimal(str(round(gain, 4))), apart.currency).rounded()
        for gain in sorted(offer.gains)
    )
    return Proposal(
        action=OfferBundle(
            name=f"{one.sku} + {two.sku}", skus=(one.sku, two.sku), price=offer.price
        ),
        reason=(
            f"{one.name} and {two.name} were bought together {offer.pair.together} times, "
            f"{offer.pair.lift:.1f} times as often as by chance; together {saving} less."
        ),
        evidence={
            "product_affinities": offer.pair.together,
            "in_days": round(offer.pair.days),
            "times_as_often_as_by_chance": round(offer.pair.lift, 2),
            "price_apart": str(apart),
            "price_together": str(offer.price),
            "saving": str(saving),
            "cost": str((one.cost or one.price) + (two.cost or two.price)),
            "margin_apart": _margin(apart, [one, two]),
            "margin_together": _margin(offer.price, [one, two]),
            "margin_floor": settings.margin_floor,
            "effect_days": _MONTH,
        },
        effect=Effect(low=low, expected=expected, high=high),
        assumptions=("answer to the saving", *_assumed(one, two)),
    )


def _assumed(*products: Product) -> tuple[str, ...]:
    return ("cost",) if any("cost" in product.assumed for product in products) else ()


def _why_not(
    bundle: Bundle,
    products: Sequence[Product],
    window: StorefrontSnapshot,
    settings: PersonalizationSettings,
) -> str:
    if len(products) < len(bundle.skus):
        return "a part of it is not sold any more"
    apart = sum((p.price.amount for p in products), Decimal(0))
    if bundle.price.amount >= apart:
        return f"its parts cost {apart} together, no more than the bundle"
    if not _keeps_margin(bundle.price, products, settings):
        return "its margin fell below the floor"
    return ""


def _keeps_margin(
    price: Money, products: Sequence[Product], settings: PersonalizationSettings
) -> bool:
    if any(p.cost is None or p.cost.currency != price.currency for p in products):
        return False
    cost = sum((p.cost.amount for p in products if p.cost), Decimal(0))
    return price.amount * (1 - Decimal(f"{settings.margin_floor}")) >= cost


def _margin(price: Money, products: Sequence[Product]) -> float:
    cost = sum((p.cost.amount for p in products if p.cost), Decimal(0))
    return round(1 - float(cost / price.amount), 3)


def _code(customer: str, sku: str, now: datetime) -> str:
    """Return a code that tells nothing of whose it is; the same while the offer holds."""
    digest = sha256(f"{customer}/{sku}/{now:%G%V}".encode()).hexdigest()
    return f"FOR-YOU-{digest[:8].upper()}"
