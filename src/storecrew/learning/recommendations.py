"""What to show to a customer, or beside a cart: from what is learnt, and only what can be sold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from storecrew.domain.control.model_registry import ModelKind
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.orders import OrderQuery, purchase_counts
from storecrew.learning.service import ModelService
from storecrew.models.recommendation import ScoredProduct

_RECENT = 28
"""Days of sales behind what is bought most of late."""
_OLD_ORDERS = 200
"""Orders of a customer that are looked at, newest first."""
_SPARE = 4
"""Times as many suggestions are looked at as wanted, as some cannot be sold now."""


@dataclass(frozen=True, kw_only=True)
class RecommendedOffer:
    """A product to show, and why."""

    sku: str
    name: str
    price: Money
    score: float
    """Higher is better; comparable within one answer."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class RecommendedOffers:
    """What to show, best first."""

    version: int | None
    """Of the similarities; None where only what sells of late could be said."""
    items: Sequence[RecommendedOffer]


async def for_customer(
    service: ModelService, customer: str, *, count: int, new_only: bool = False
) -> RecommendedOffers:
    """Return what the customer may want next; one who is not known gets what sells of late."""
    await service.refresh()
    bought = await _bought(service, customer)
    learnt = service.models.similarities
    if learnt is None:
        return await _offers(service, await _popular(service), count)
    found = learnt.for_customer(
        bought, count * _SPARE, today=service.today.toordinal(), new_only=new_only
    )
    return await _offers(service, found, count)


async def for_cart(service: ModelService, cart: Sequence[str], *, count: int) -> RecommendedOffers:
    """Return what is bought together with these products."""
    await service.refresh()
    learnt = service.models.similarities
    found = await _popular(service) if learnt is None else learnt.complete(cart, count * _SPARE)
    return await _offers(service, [one for one in found if one.sku not in cart], count)


async def _bought(service: ModelService, customer: str) -> Mapping[str, tuple[float, int]]:
    """Return how often the customer bought each product, and on which day last."""
    query = OrderQuery(customer=customer, per_page=_OLD_ORDERS)
    return purchase_counts((await service.store.orders(query)).items)


async def _popular(service: ModelService) -> Sequence[ScoredProduct]:
    today = service.today
    first, last = today - timedelta(days=_RECENT), today - timedelta(days=1)
    sold = {sku: sum(u) for sku, u in (await service.store.daily_sales(first, last)).units.items()}
    best = sorted(sold, key=lambda sku: (-sold[sku], sku))
    return [
        ScoredProduct(sku=sku, score=float(sold[sku]), reason="bought often of late")
        for sku in best
    ]


async def _offers(
    service: ModelService, found: Sequence[ScoredProduct], count: int
) -> RecommendedOffers:
    """Return the first so many that are for sale and, where stock is counted, on the shelf."""
    skus = [one.sku for one in found]
    products = {product.sku: product for product in await service.store.products(skus)}
    available: dict[str, int] = {}
    for level in await service.store.stock(skus):
        available[level.sku] = available.get(level.sku, 0) + level.available
    items = [
        RecommendedOffer(
            sku=one.sku,
            name=products[one.sku].name,
            price=products[one.sku].price,
            score=round(one.score, 4),
            reason=one.reason,
        )
        for one in found
        if one.sku in products and _for_sale(products[one.sku], available)
    ]
    learnt = service.models.similarities is not None
    version = service.models.numbers.get(ModelKind.SIMILARITY) if learnt else None
    return RecommendedOffers(version=version, items=items[:count])


def _for_sale(product: Product, available: Mapping[str, int]) -> bool:
    on_shelf = not product.stocked or available.get(product.sku, 0) > 0
    return product.price.amount > 0 and on_shelf
