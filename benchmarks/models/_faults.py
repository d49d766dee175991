"""Faults injected into the simulated shop's numbers, and what the detectors make of them."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import cache

import numpy as np

from storecrew.models import anomalies, seasonal_baseline
from storecrew.models.causes import Breakdown, causes
from storecrew.stores.simulated import demand
from storecrew.stores.simulated.catalog import articles

DAYS, SINCE, WARM = 120, 100, 14
SEEDS = range(20)
WEEK = 7 * 24
Array = np.ndarray


@cache
def rates(seed: int, units: float) -> tuple[Array, Array]:
    """Return expected units an hour, of the shop and of its best seller."""
    goods = articles(seed, units_a_day=units)
    days = [date(2026, 1, 1) + timedelta(day) for day in range(DAYS)]
    levels = np.array([[demand.level(a, seed, day) for day in days] for a in goods])
    clock = np.array(demand._HOURS) / sum(demand._HOURS)
    best = int(levels.mean(1).argmax())
    return np.outer(levels.sum(0), clock).ravel(), np.outer(levels[best], clock).ravel()


class Shop:
    """Hourly numbers of a seed's shop, with or without a fault from day 100 on."""

    def __init__(self, seed: int, units: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.rate, self.best = rates(seed, units)

    def change(self, factor: float) -> Array:
        return np.where(np.arange(DAYS * 24) >= SINCE * 24, factor, 1.0)

    def orders(self, factor: float) -> Array:
        return self.rng.poisson(self.rate * self.change(factor)).astype(float)

    def refunds(self, factor: float) -> Array:
        return self.rng.poisson(self.rate * 0.035 * self.change(factor)).astype(float)

    def latency(self, factor: float) -> Array:
        busy = 1 + 0.3 * self.rate / self.rate.max()
        return self.rng.lognormal(np.log(120), 0.25, DAYS * 24) * busy * self.change(factor)

    def one_product(self, factor: float) -> Array:
        """Units of the best seller: a price with its point lost sells up to three times as many."""
        return self.rng.poisson(self.best * self.change(factor)).astype(float)

    def discrepancies(self, factor: float) -> Array:
        """Units by which counts differ from the books: one in two days, then several."""
        return self.rng.poisson(0.5 / 24 * self.change(factor), DAYS * 24).astype(float)


FAULTS: dict[str, tuple[Callable[[Shop, float], Array], float]] = {
    "orders halved": (Shop.orders, 0.5),
    "orders stopped": (Shop.orders, 0.0),
    "refunds doubled": (Shop.refunds, 2.0),
    "refunds five times": (Shop.refunds, 5.0),
    "latency up by half": (Shop.latency, 1.5),
    "price typo (the best seller sells three times as much)": (Shop.one_product, 3.0),
    "stock discrepancies ten times": (Shop.discrepancies, 10.0),
}


def by_rhythm(values: Array) -> Array:
    one = seasonal_baseline.SeasonalBaseline()
    return (
        np.array([one.score(x, n) for n, x in enumerate(values.tolist())])
        >= seasonal_baseline.ALERT
    )


def by_detector(values: Array) -> Array:
    one = anomalies.Detector()
    return np.array([one.score(x) for x in values.tolist()]) >= anomalies.ALERT


def by_deviation(values: Array) -> Array:
    """Three deviations from the mean of the same hour of the four weeks before."""
    alarms = np.zeros(len(values), bool)
    weeks = values[: len(values) // WEEK * WEEK].reshape(-1, WEEK)
    for n in range(4, len(weeks)):
        past = weeks[n - 4 : n]
        far = np.abs(weeks[n] - past.mean(0)) > 3 * np.maximum(past.std(0, ddof=1), 1e-9)
        alarms[n * WEEK : (n + 1) * WEEK] = far
    return alarms


JUDGES = {
    "storecrew (rhythm)": by_rhythm,
    "storecrew (detector)": by_detector,
    "3 sd of the same hour": by_deviation,
}


def fault_rows() -> list[list[str]]:
    rows = []
    for units in (55.0, 550.0):
        for name, (metric, factor) in FAULTS.items():
            for judge_name, judge in JUDGES.items():
                delays, false = [], 0
                for seed in SEEDS:
                    quiet = judge(metric(Shop(seed, units), 1.0))
                    false += int(quiet[WARM * 24 :].sum())
                    told = np.flatnonzero(judge(metric(Shop(seed, units), factor))[SINCE * 24 :])
                    delays.append(float(told[0]) if told.size else np.inf)
                found = [d for d in delays if d < WEEK]
                months = len(SEEDS) * (DAYS - WARM) / 30.4
                delay = f"{np.median(found):.0f}" if found else "-"
                share = f"{len(found) / len(delays):.0%}"
                label = f"{name}, {units:g} units a day"
                rows.append([label, judge_name, share, delay, f"{false / months:.2f}"])
    return rows


def cause_rows() -> list[list[str]]:
    rows = []
    for name, dimension, factor in (("nothing", None, 1.0), ("the whole shop halved", None, 0.5),
                                    ("a country stopped", "country", 0.0),
                                    ("a country halved", "country", 0.5),
                                    ("a product stopped", "product", 0.0),
                                    ("a channel doubled", "channel", 2.0)):  # fmt: skip
        first = named = 0
        for seed in range(200):
            rng = np.random.default_rng(seed)
            sizes = {"country": 8, "product": 60, "channel": 5}
            shares = {key: rng.dirichlet(np.full(n, 1.0)) for key, n in sizes.items()}
            guilty = {key: int(np.argsort(share)[-2]) for key, share in shares.items()}
            tables = {}
            for key, share in shares.items():
                rates = np.outer(share, np.full(28, 300.0))
                if dimension is None:
                    rates[:, -1] *= factor
                elif key == dimension:
                    rates[guilty[key], -1] *= factor
                else:
                    rates[:, -1] *= 1 + shares[dimension][guilty[dimension]] * (factor - 1)
                mood = rng.gamma(20, 1 / 20, rates.shape)
                names = [f"{key} {n}" for n in range(len(share))]
                tables[key] = Breakdown(names=names, values=rng.poisson(rates * mood))
            found = causes(tables)
            named += found[0].telling
            first += bool(
                dimension
                and found[0].telling
                and found[0].part == f"{dimension} {guilty[dimension]}"
            )
        right = f"{first / 200:.1%}" if dimension else "-"
        rows.append([name, right, f"{named / 200:.1%}"])
    return rows
