"""Who would buy what, and when: the same people whatever the shop does. Pure.

Each product and day has its own stream of possible buyers, drawn from (seed, day, product). Price
and stock only decide which of them buy, so that two ways to run the shop face the same market.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from storecrew.stores.simulated.catalog import SimulatedProduct

_CROWD = 3.0
"""Possible buyers per buyer at list price: demand can at most rise this far."""
_WEEK = (1.0, 0.95, 0.95, 1.0, 1.1, 1.2, 0.8)
"""Demand by weekday, Monday first."""
_HOURS = (
    *(0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.2, 2.2),
    *(2.2, 2.0, 2.0, 2.0, 2.2, 2.5, 3.0, 3.4, 3.4, 3.0, 1.8, 0.8),
)
"""Weight of each hour of the day."""
_COMPANY = 0.3
"""Share of buyers who would also take a second product."""
_FITS = 0.6
"""Share of them who have one in mind that goes with the first."""


@dataclass(frozen=True, kw_only=True)
class CustomerBehaviour:
    """How a customer behaves once an order is placed."""

    patience: timedelta
    """How long an answer may take before the order is called off."""
    pays_after: timedelta | None
    """From the answer to the payment; None: never."""
    transit: timedelta
    """From the despatch to the doorstep."""
    returns_after: timedelta | None
    """From the delivery to a return; None: keeps it."""
    asks: bool
    """Whether a question follows the delivery."""


@dataclass(frozen=True, kw_only=True)
class Shopper:
    """A visitor with a reservation price."""

    id: str
    at: datetime
    sku: str
    quantity: int
    reserve: float
    """Buys if the answer to the price is above this."""
    second: str | None
    second_reserve: float
    customer: int
    """Number of the customer."""
    writes: bool
    """Orders by mail."""
    manners: CustomerBehaviour
    number: int = 1
    """Of the day's visitors to the product."""


def response(article: SimulatedProduct, price: int, competitors: float) -> float:
    """Return demand at this price over demand at list price.

    `prices` is what the cheapest rival asks now over what it asked at first.
    """
    if price <= 0:
        return _CROWD
    own = float((price / article.list_price) ** article.elasticity)
    beside = float(min(1.4, max(0.7, competitors)) ** article.competitor_pull)
    return min(_CROWD, own * beside)


def wants(answer: float, reserve: float) -> bool:
    """Tell whether someone with this reserve buys at this answer to the price."""
    return reserve * _CROWD < answer


def level(article: SimulatedProduct, seed: int, day: date) -> float:
    """Return expected units on that day at list price."""
    year = math.cos(2 * math.pi * (day.timetuple().tm_yday - article.peak) / 365)
    slow = math.sin(2 * math.pi * day.toordinal() / 210 + article.drift)
    week = day.toordinal() // 7
    mood = _rng(f"{seed}/mood/{week}/{article.sku}").gauss(0, 0.2)
    season = 1 + article.swing * year
    return article.base * season * (1 + 0.2 * slow) * _WEEK[day.weekday()] * math.exp(mood)


def shoppers(
    articles: Sequence[SimulatedProduct], seed: int, day: date, customers: int
) -> list[Shopper]:
    """Return the day's possible buyers of every product, in order of time."""
    found: list[Shopper] = []
    for article in articles:
        rng = _rng(f"{seed}/{day.isoformat()}/{article.sku}")
        crowd = _poisson(rng, level(article, seed, day) * _CROWD)
        found += [_shopper(rng, article, articles, (day, n), customers) for n in range(crowd)]
    return sorted(found, key=lambda shopper: (shopper.at, shopper.id))


def behaviour_of(rng: Random, return_rate: float) -> CustomerBehaviour:
    """Draw a customer's behaviour."""
    in_a_hurry = rng.random() < 0.08
    hours = rng.uniform(4, 16) if in_a_hurry else rng.uniform(30, 120)
    pay, pays = rng.expovariate(1 / 8), rng.random() < 0.97
    days, back = rng.uniform(1.0, 2.2), rng.random() < return_rate
    return CustomerBehaviour(
        patience=timedelta(hours=hours),
        pays_after=timedelta(hours=0.2 + min(pay, 48)) if pays else None,
        transit=timedelta(days=days),
        returns_after=timedelta(days=rng.uniform(2, 9)) if back else None,
        asks=rng.random() < 0.02,
    )


def stranger(seed: int, order_id: int) -> CustomerBehaviour:
    """Draw how the customer of an order that the market did not place behaves."""
    return behaviour_of(_rng(f"{seed}/stranger/{order_id}"), 0.03)


def _shopper(
    rng: Random,
    article: SimulatedProduct,
    articles: Sequence[SimulatedProduct],
    which: tuple[date, int],
    customers: int,
) -> Shopper:
    day, number = which
    hour = rng.choices(range(24), _HOURS)[0]
    at = datetime.combine(day, time(hour), UTC) + timedelta(seconds=rng.randrange(3600))
    second = _second(rng, article, articles) if rng.random() < _COMPANY else None
    return Shopper(
        id=f"{day.isoformat()}/{article.sku}/{number}",
        at=at,
        sku=article.sku,
        quantity=rng.choices((1, 2, 3, 4), (82, 12, 4, 2))[0],
        reserve=rng.random(),
        second=second if second != article.sku else None,
        second_reserve=rng.random(),
        customer=1 + rng.randrange(customers),
        writes=rng.random() < 0.05,
        manners=behaviour_of(rng, article.return_rate),
        number=number,
    )


def _second(rng: Random, article: SimulatedProduct, articles: Sequence[SimulatedProduct]) -> str:
    """Draw a second product: mostly one that goes with the first."""
    anything, fits = rng.choice(articles).sku, rng.random()
    if article.companions and fits < _FITS:
        return article.companions[int(fits / _FITS * len(article.companions))]
    return anything


def _poisson(rng: Random, mean: float) -> int:
    """Draw from a Poisson distribution by Knuth's product of uniforms."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def _rng(stream: str) -> Random:
    return Random(stream)  # noqa: S311 - a simulation, not a secret
