"""What competitors and suppliers ask from day to day: the same whatever the shop does. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from storecrew.stores.simulated.catalog import SimulatedProduct

NAMES = ("AutoMax", "CarCenter")
_CARRIES = 0.6
"""Share of our products that a rival sells too."""
_MOVES = 0.04
"""Chance that a rival reprices a product on a day."""
_GLITCH = 0.0005
"""Chance of a price that cannot be meant, on a day and product: 0, or a hundredfold."""
_DEARER = 0.001
"""Chance that a supplier changes what a product costs, on a day."""


@dataclass
class Competitors:
    """Competitors' price tags, as they change."""

    seed: int
    articles: Sequence[SimulatedProduct]
    tags: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Present price per product and rival, in minor units; glitches never enter."""
    first: dict[str, int] = field(default_factory=dict[str, int])
    """The cheapest rival's price at the beginning, per product."""

    def open(self) -> None:
        """Set every competitor's first prices."""
        rng = Random(f"{self.seed}/rivals")  # noqa: S311 - a simulation, not a secret
        for article in self.articles:
            for competitor in NAMES:
                if rng.random() < _CARRIES:
                    tag = round(article.list_price * rng.uniform(0.9, 1.15))
                    self.tags[article.sku, competitor] = tag
            price = self.asked(article.sku)
            if price:
                self.first[article.sku] = min(price)

    def asked(self, sku: str) -> list[int]:
        """Return competitors' current prices of the product."""
        return [
            self.tags[sku, competitor] for competitor in NAMES if (sku, competitor) in self.tags
        ]

    def beside(self, sku: str) -> float:
        """Return the cheapest competitor's price relative to the cheapest first price."""
        price = self.asked(sku)
        return min(price) / self.first[sku] if price else 1.0

    def reprice(self, day: date) -> Iterator[tuple[str, str, int]]:
        """Change the day's price tags; yield product, competitor and observed price."""
        by_sku: Mapping[str, SimulatedProduct] = {article.sku: article for article in self.articles}
        rng = Random(f"{self.seed}/rivals/{day.isoformat()}")  # noqa: S311 - a simulation
        for sku, competitor in sorted(self.tags):
            luck, move, odd = rng.random(), rng.gauss(0, 0.05), rng.random()
            if odd < _GLITCH:
                yield sku, competitor, 0 if odd < _GLITCH / 2 else self.tags[sku, competitor] * 100
            elif luck < _MOVES:
                article = by_sku[sku]
                target = self.tags[sku, competitor] * (1 + move)
                kept = min(max(target, article.cost * 1.1), article.list_price * 1.4)
                self.tags[sku, competitor] = round(kept)
                yield sku, competitor, self.tags[sku, competitor]


def new_costs(
    seed: int, day: date, articles: Sequence[SimulatedProduct], costs: Mapping[str, int]
) -> Iterator[tuple[str, int]]:
    """Yield the products that suppliers reprice on that day, and what they cost then."""
    rng = Random(f"{seed}/costs/{day.isoformat()}")  # noqa: S311 - a simulation, not a secret
    for article in articles:
        luck, change = rng.random(), rng.uniform(-0.04, 0.08)
        if luck < _DEARER:
            yield article.sku, max(1, round(costs[article.sku] * (1 + change)))
