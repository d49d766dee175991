"""Which price stood on which day, from the changes that the shop recorded."""

from collections.abc import Mapping, Sequence
from datetime import date

from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.models import PriceHistory
from storecrew.domain.shop.catalog import PriceChange
from storecrew.models.arrays import LARGEST

_USUAL = 2.2
"""Share of demand that a price one per cent higher is taken to cost, when the shop's pulse is
cleared of its own price moves."""


def daily_prices(changes: Sequence[PriceChange], first: date, days: int) -> list[float]:
    """Return a product's price on each day; 0 before it had one. A day has its last price.

    `changes` are one product's, oldest first, at least one.
    """
    start = changes[0].previous
    prices = [float(start.amount) if start else 0.0] * days
    for change in changes:
        begin = max(0, (change.at.date() - first).days)
        prices[begin:] = [float(change.price.amount)] * (days - begin)
    return prices


def price_histories(
    units: Mapping[str, Sequence[int]], prices: Mapping[str, Sequence[float]]
) -> list[PriceHistory]:
    """Return what elasticities are learned from, for each product of `prices` in its order.

    Units sold per product and day of the whole shop, and prices per day of those whose price
    moved; all series are of one length. The exposure is how busy the shop was. A price that is
    none counts as not known.
    """
    days = {len(series) for series in (*units.values(), *prices.values())}
    if len(days) > 1 or not prices.keys() <= units.keys():
        raise InvalidInput("prices", "must be of products that have units, and as many days")
    exposure = _pulse(units, prices)
    return [
        PriceHistory(prices=series, units=units[sku], exposure=exposure)
        for sku, series in prices.items()
    ]


def _pulse(
    units: Mapping[str, Sequence[int]], prices: Mapping[str, Sequence[float]]
) -> list[float]:
    """Return how busy the shop was each day: units sold, less what its price moves did to them.

    Without this, a season would be taken for an answer to prices; with the bare units, a rise of
    all prices would hide its own effect.
    """
    # one unit more, so that a day without sales still counts
    total = [1.0] * len(next(iter(units.values()), ()))
    for sku, sales in units.items():
        series = prices.get(sku, ())
        base = next((price for price in series if _is_price(price)), 1.0)
        lost = {p: (p / base) ** _USUAL for p in set(series) if _is_price(p)}
        for day, sold in enumerate(sales):
            if sold:
                total[day] += sold * lost.get(series[day], 1.0) if series else sold
    return total


def _is_price(price: float) -> bool:
    return 0 < price < LARGEST
