"""Which of our own products rise: more than chance and their usual ups and downs explain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from storecrew.learning.service import ModelService
from storecrew.models.trends import rises

HISTORY_DAYS = 84
"""Days that are compared with: twelve weeks tell a product's usual ups and downs."""


@dataclass(frozen=True, kw_only=True)
class RisingProduct:
    """A product that sells more than what came before lets expect."""

    sku: str
    name: str
    units: int
    """Sold in the last days."""
    expected: float
    growth: float
    """Units over expected, drawn towards one where they are few."""
    at_least: float
    """Growth that is exceeded with a chance of nine in ten."""
    doubt: float
    """Share of false alarms among products that rise as surely as this one (q-value)."""


async def rising_products(
    service: ModelService, *, recent: int = 7, doubt: float = 0.1
) -> Sequence[RisingProduct]:
    """Return the products whose sales rose in the last `recent` days, surest first.

    `doubt` is the share of false alarms that is put up with. Nothing is said before there are
    sales of at least four times `recent` days.
    """
    last = service.today - timedelta(days=1)
    days = max(HISTORY_DAYS, 4 * recent)
    sales = await service.store.daily_sales(last - timedelta(days=days - 1), last)
    skus = sorted(sales.units)
    if not skus:
        return []
    table = np.array([sales.units[sku] for sku in skus], dtype=np.float64)
    begun = int(np.flatnonzero(table.any(axis=0))[0])
    if days - begun < 4 * recent:
        return []
    found = rises(table[:, begun:], recent=recent, fdr=doubt)
    names = {product.sku: product.name for product in await service.store.products(skus)}
    best = sorted(np.flatnonzero(found.rising), key=lambda n: (found.q[n], -found.growth[n]))
    return [
        RisingProduct(
            sku=skus[n],
            name=names.get(skus[n], skus[n]),
            units=int(found.recent[n]),
            expected=round(float(found.expected[n]), 2),
            growth=round(float(found.growth[n]), 2),
            at_least=round(float(found.low[n]), 2),
            doubt=round(float(found.q[n]), 4),
        )
        for n in best
    ]
