"""Prices in the simulated shop, where the truth is known: what share of the oracle's profit.

The shop's own demand (`stores.simulated.demand`: constant elasticities that differ by product,
seasons, moods, rivals that move) on arrays, a year, one decision a week; sales are Poisson, profit
and revenue are what is expected at the prices set. The oracle knows every product's elasticity and
jumps to its best price on the first day, within a quarter of the first price, as all do. "Told the
mean" knows the average elasticity of the shop exactly, but no product's own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from _report import cpu, interval, parser, publish, table

from storecrew.domain.ports.models import Elasticity, PriceHistory, PriceQuery
from storecrew.models.elasticity import elasticities
from storecrew.models.pricing import best_prices, explore_prices
from storecrew.stores.simulated import demand
from storecrew.stores.simulated.catalog import articles
from storecrew.stores.simulated.competitors import Competitors

DAYS, LAST, WEEK = 364, 28, 7
RELEARN = 28
"""Days between two lessons while exploring: what is drawn meanwhile is not chased."""
MEMORY = 84
"""Days that the pricing agent looks back where nothing is explored."""
SEEDS = range(100, 106)
"""Shops that nothing was tried on: variants were compared on others."""
BAND, STEP, REACH, MARGIN = 0.25, 0.05, 0.06, 0.10
Array = np.ndarray


@dataclass
class World:
    """What a seed's market would do, whatever the prices."""

    seed: int
    units: float
    size: int = 120
    level: Array = field(init=False)
    beside: Array = field(init=False)
    rival: Array = field(init=False)

    def __post_init__(self) -> None:
        goods = articles(self.seed, size=self.size, units_a_day=self.units)
        self.first = np.array([a.list_price for a in goods], float)
        self.cost = np.array([a.cost for a in goods], float)
        self.truth = np.array([a.elasticity for a in goods])
        self.pull = np.array([a.competitor_pull for a in goods])
        self.level, self.beside, self.rival = (np.zeros((self.size, DAYS)) for _ in range(3))
        rivals = Competitors(self.seed, goods)
        rivals.open()
        for day in range(DAYS):
            today = date(2026, 1, 1) + timedelta(day)
            list(rivals.reprice(today))
            for n, article in enumerate(goods):
                self.level[n, day] = demand.level(article, self.seed, today)
                self.beside[n, day] = rivals.beside(article.sku)
                self.rival[n, day] = min(rivals.asked(article.sku), default=0)

    def bought(self, prices: Array, day: int) -> Array:
        """Expected units, as `demand.response` has it."""
        beside = np.clip(self.beside[:, day], 0.7, 1.4) ** self.pull
        return self.level[:, day] * np.minimum(3, (prices / self.first) ** self.truth * beside)

    def within(self, prices: Array) -> Array:
        held = np.clip(prices, self.first * (1 - BAND), self.first * (1 + BAND))
        return np.round(np.maximum(held, self.cost / (1 - MARGIN)))


@dataclass
class Seen:
    """What a shop knows: prices and units sold so far."""

    prices: Array
    units: Array
    day: int = 0


Policy = Callable[[World, Seen, Array], Array]


def no_change(world: World, seen: Seen, now: Array) -> Array:
    return world.first


def flat_rise(world: World, seen: Seen, now: Array) -> Array:
    return world.within(world.first * 1.05)


def cost_plus(world: World, seen: Seen, now: Array) -> Array:
    """The shop's own average markup on every product."""
    return world.within(world.cost * np.mean(world.first / world.cost))


def match_cheapest(world: World, seen: Seen, now: Array) -> Array:
    rival = world.rival[:, seen.day - 1]
    return np.where(rival > 0, world.within(np.maximum(rival, 1)), now)


def told_the_mean(world: World, seen: Seen, now: Array) -> Array:
    e = world.truth.mean()
    return world.within(world.cost * e / (1 + e))


def oracle(world: World, seen: Seen, now: Array) -> Array:
    return world.within(world.cost * world.truth / (1 + world.truth))


@dataclass
class Ours:
    """Learns weekly from all days so far; explores where it is allowed to."""

    explore: bool
    found: list[Elasticity] = field(default_factory=list)

    def __call__(self, world: World, seen: Seen, now: Array) -> Array:
        day = seen.day
        if day < 2 * WEEK:
            return now
        if not self.found or not self.explore or day % RELEARN == 0:
            self.found = self.learned(world, seen)
        daily = np.maximum(seen.units[:, max(0, day - 56) : day].mean(1), 0.02)
        step = 2 * STEP if self.explore else STEP
        low = np.minimum(now, world.within(now * (1 - step)))
        high = np.maximum(now, world.within(now * (1 + step)))
        asked = [
            PriceQuery(price=p, cost=c, daily=d, elasticity=e, lowest=lo, highest=hi)
            for p, c, d, e, lo, hi in zip(now.tolist(), world.cost.tolist(), daily.tolist(),
                                          self.found, low.tolist(), high.tolist(), strict=True)
        ]  # fmt: skip
        if self.explore:
            seed = world.seed * 1000 + day
            answers = explore_prices(asked, seed=seed, reach=REACH)
        else:
            answers = best_prices(asked)
        return world.within(np.array([each.price for each in answers]))

    def learned(self, world: World, seen: Seen) -> list[Elasticity]:
        since = 0 if self.explore else max(0, seen.day - MEMORY)
        past, sold = seen.prices[:, since : seen.day], seen.units[:, since : seen.day]
        pulse = (sold * (past / world.first[:, None]) ** 2.2).sum(0) + 1
        beside = world.rival[:, since : seen.day].tolist()
        return elasticities(
            [
                PriceHistory(prices=p, units=u, exposure=pulse.tolist(), competitors=r)
                for p, u, r in zip(past.tolist(), sold.tolist(), beside, strict=True)
            ]
        )


def run(world: World, policy: Policy) -> tuple[Array, Array]:
    """Return expected profit and revenue of each day."""
    rng = np.random.default_rng(world.seed)
    seen = Seen(np.zeros((world.size, DAYS)), np.zeros((world.size, DAYS)))
    profit, revenue, prices = np.zeros(DAYS), np.zeros(DAYS), world.first.copy()
    for day in range(DAYS):
        seen.day = day
        if day % WEEK == 0 and (day or not isinstance(policy, Ours)):
            prices = policy(world, seen, prices) if day or policy is not match_cheapest else prices
        bought = world.bought(prices, day)
        seen.prices[:, day], seen.units[:, day] = prices, rng.poisson(bought)
        profit[day] = (bought * (prices - world.cost)).sum()
        revenue[day] = (bought * prices).sum()
    return profit, revenue


def policies() -> dict[str, Policy]:
    return {
        "storecrew, exploring": Ours(True),
        "storecrew, as it comes": Ours(False),
        "told the mean elasticity": told_the_mean,
        "+5 % everywhere": flat_rise,
        "match the cheapest": match_cheapest,
        "cost-plus": cost_plus,
        "no change": no_change,
    }


def compared(units: float) -> tuple[list[list[str]], list[list[str]]]:
    figures: dict[str, list[list[float]]] = {}
    errors: dict[str, list[list[float]]] = {}
    for seed in SEEDS:
        world = World(seed, units)
        base, money = run(world, no_change)
        best, best_money = run(world, oracle)
        room, late = (best - base).sum(), (best - base)[-LAST:].sum()
        told = {"the oracle": (best, best_money)}
        for name, policy in policies().items():
            told[name] = run(world, policy)
            if isinstance(policy, Ours):
                off = np.array([e.mean for e in policy.found]) - world.truth
                said = np.array([e.error for e in policy.found])
                inside = np.abs(off) <= 1.2816 * said
                row = [np.sqrt((off**2).mean()), off.mean(), inside.mean()]
                errors.setdefault(name, []).append([float(x) for x in row])
        for name, (profit, revenue) in told.items():
            row = [(profit - base).sum() / room, (profit - base)[-LAST:].sum() / late,
                   profit.sum() / base.sum() - 1, revenue.sum() / money.sum() - 1]  # fmt: skip
            figures.setdefault(name, []).append([float(x) for x in row])
    rows = [
        [f"{units:g}", name, *(interval(list(each), 2) for each in zip(*runs, strict=True))]
        for name, runs in figures.items()
    ]
    learned = [
        [f"{units:g}", name, *(interval(list(each), 2) for each in zip(*runs, strict=True))]
        for name, runs in errors.items()
    ]
    return rows, learned


def main() -> None:
    given = parser(__doc__).parse_args()
    began, started = cpu(), time.perf_counter()
    rows, learned = [], []
    for units in (55.0, 550.0):
        more, errors = compared(units)
        rows += more
        learned += errors
    spent = f"{cpu() - began:.0f} s of CPU, {time.perf_counter() - started:.0f} s"
    text = (
        f"120 products, {len(SEEDS)} shops (seeds), means with 95 % intervals; {spent}. Moves of "
        f"at most {STEP:.0%} a week ({2 * STEP:.0%} while exploring), never below cost and a "
        f"margin of {MARGIN:.0%}. Shares are of what the oracle earns more than no change."
    )
    headers = ["units a day", "policy", "share, whole year", f"share, last {LAST} days",
               "profit against no change", "revenue"]  # fmt: skip
    more = ["units a day", "learned by", "error of elasticities (rms)", "bias",
            "truth within the 80 % interval"]  # fmt: skip
    below = (
        "The target of 85 % is missed. Its cause is what can be known: with half a unit a day and "
        "product a year of sales leaves elasticities unsure by half, and the shop's mood moves a "
        "week's sales by a fifth besides; who is told the mean exactly still gets only half. "
        "Cost-plus at the shop's own average markup is a strong rival here: that markup happens to "
        "lie near the best one. Tried, on other seeds than these: prices compared over "
        "all days at once (biased by seasons), Thompson sampling, exploring by 6, 10 and 15 %, "
        "horizons of 26 to 200 weeks, fixed and learned spreads, learning anew every 1, 4 and 8 "
        "weeks, answers taken for 0, 0.3 and 0.5 errors steeper; about fifteen variants in all."
    )
    body = "\n\n".join([text, table(headers, rows), table(more, learned), below])
    publish("models-prices", body, command="python benchmarks/models/prices.py", write=given.write)


if __name__ == "__main__":
    main()
