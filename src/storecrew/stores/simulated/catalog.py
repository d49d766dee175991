"""What the simulated shop sells: car accessories, each with the truth that no agent sees."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.purchasing import Supplier


@dataclass(frozen=True, kw_only=True)
class SimulatedProduct:
    """A product, and how the market really feels about it."""

    sku: str
    name: str
    cost: int
    """Minor units."""
    list_price: int
    """Minor units."""
    base: float
    """Units a day at list price in an average season."""
    elasticity: float
    competitor_pull: float
    """Demand lost per cent that rivals are cheaper than they used to be."""
    peak: int
    """Day of the year with the highest demand."""
    swing: float
    """How far a season moves demand, as a share."""
    drift: float
    """Phase of the slow rise and fall of its popularity, in radians."""
    pack: int
    supplier: str
    return_rate: float
    companions: tuple[str, ...] = ()
    """Products that really go with it."""


_KINDS: tuple[tuple[str, int, float, int, float], ...] = (
    ("Floor Mats", 800, 3.0, 320, 0.3),
    ("Seat Covers", 1500, 2.0, 290, 0.2),
    ("Roof Box", 5700, 0.5, 190, 0.5),
    ("Roof Bars", 3100, 0.8, 185, 0.4),
    ("Bike Rack", 3800, 0.6, 170, 0.5),
    ("Phone Holder", 420, 6.0, 330, 0.2),
    ("Dash Cam", 2500, 1.5, 330, 0.2),
    ("Jump Starter", 2200, 1.2, 10, 0.4),
    ("Tyre Inflator", 1400, 1.8, 100, 0.2),
    ("Wiper Blades", 630, 5.0, 305, 0.4),
    ("LED Bulbs", 480, 4.0, 310, 0.4),
    ("Snow Chains", 1900, 0.8, 5, 0.7),
    ("Sun Shade", 350, 3.0, 195, 0.6),
    ("Boot Liner", 1000, 1.6, 250, 0.2),
    ("Steering Wheel Cover", 560, 2.5, 330, 0.2),
    ("Car Cover", 2100, 0.8, 300, 0.4),
    ("Battery Charger", 1700, 1.2, 350, 0.4),
    ("Tow Rope", 480, 1.5, 20, 0.2),
    ("First Aid Kit", 420, 2.5, 180, 0.2),
    ("Air Freshener", 100, 8.0, 200, 0.1),
    ("Car Shampoo", 240, 6.0, 140, 0.4),
    ("Polish", 450, 3.0, 130, 0.4),
    ("Microfibre Cloths", 210, 6.0, 140, 0.3),
    ("Tool Kit", 1600, 1.2, 340, 0.3),
)
"""Name, typical cost in minor units, popularity, day of the peak, swing of the season."""
_GRADES = (
    ("Basic", 0.7, 1.3),
    ("Classic", 0.9, 1.2),
    ("Comfort", 1.0, 1.0),
    ("Premium", 1.4, 0.6),
    ("Pro", 1.7, 0.5),
)
"""Name, cost and popularity against the kind's."""

COMPANIONS = 3
"""Products that really go with each."""

SUPPLIERS = (
    Supplier(id="NORD", name="Nord Autoteile", lead_time_days=5, lead_time_sd=1),
    Supplier(id="VELO", name="Velo Trading", lead_time_days=9, lead_time_sd=2),
    Supplier(id="ASTRA", name="Astra Imports", lead_time_days=14, lead_time_sd=3),
    Supplier(id="LOKAL", name="Lokal Grosshandel", lead_time_days=3, lead_time_sd=0.5),
)


def articles(
    seed: int, *, size: int = 120, units_a_day: float = 55.0
) -> tuple[SimulatedProduct, ...]:
    """Return the catalogue of this seed: `size` products that sell so many units a day in all.

    Prices carry the uneven markups of a shop that set them one by one over the years.
    """
    rng = Random(f"{seed}/catalogue")  # noqa: S311 - a simulation, not a secret
    found = [_article(rng, number) for number in range(size)]
    total = sum(article.base for article in found)
    skus = [each.sku for each in found]
    return tuple(
        SimulatedProduct(
            **{
                **vars(each),
                "base": max(0.04, each.base * units_a_day / total),
                "companions": _companions(seed, each.sku, skus),
            }
        )
        for each in found
    )


def _companions(seed: int, sku: str, skus: Sequence[str]) -> tuple[str, ...]:
    rng = Random(f"{seed}/companions/{sku}")  # noqa: S311 - a simulation, not a secret
    drawn = rng.sample(skus, min(len(skus), COMPANIONS + 1))
    return tuple(each for each in drawn if each != sku)[:COMPANIONS]


def _article(rng: Random, number: int) -> SimulatedProduct:
    kind, typical, popularity, peak, swing = _KINDS[number % len(_KINDS)]
    grade, dearer, liked = _GRADES[number // len(_KINDS) % len(_GRADES)]
    series = number // (len(_KINDS) * len(_GRADES))
    cost = max(50, round(typical * dearer * rng.uniform(0.85, 1.15)))
    return SimulatedProduct(
        sku=f"CA-{number + 1:04d}",
        name=f"{kind} {grade}" + (f" {series + 1}" if series else ""),
        cost=cost,
        list_price=round(cost * rng.uniform(1.45, 2.2) / 10) * 10 - 1,
        base=popularity * liked * rng.lognormvariate(0, 0.5),
        elasticity=-min(3.8, max(1.5, rng.gauss(2.4, 0.5))),
        competitor_pull=rng.uniform(0.3, 1.0),
        peak=peak,
        swing=swing,
        drift=rng.uniform(0, 2 * math.pi),
        pack=rng.choice((1, 1, 2, 5, 10)) if cost < 2000 else 1,
        supplier=rng.choice(SUPPLIERS).id,
        return_rate=rng.uniform(0.01, 0.06),
    )


_FIRST = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo", "Ida", "Jan", "Kim", "Leo")
_LAST = ("Adler", "Brandt", "Costa", "Dietz", "Ebert", "Falk", "Graf", "Horn", "Iversen", "Jung")


def customers(seed: int, *, size: int = 400) -> tuple[Customer, ...]:
    """Return the people who buy here; half of them agreed to marketing."""
    rng = Random(f"{seed}/customers")  # noqa: S311 - a simulation, not a secret
    return tuple(
        Customer(
            id=f"C{number:04d}",
            name=f"{rng.choice(_FIRST)} {rng.choice(_LAST)}",
            email=f"c{number:04d}@example.com",
            marketing_consent=rng.random() < 0.5,
            locale=rng.choice(("en", "de", "fr")),
        )
        for number in range(1, size + 1)
    )
