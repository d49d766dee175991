"""Stock that each way of ordering needs for the same sales, replayed on Online Retail.

The last 84 days, the 250 best-selling products as known before them, review every 7 days, order
up to a level, lost sales; lead times 3, 7 and 14 days. Each policy sweeps its own knob; its mean
stock value is compared at equal value fill. Intervals: 95 %, by the spread over draws of half of
the products.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import warnings
from collections.abc import Callable
from datetime import date
from functools import cache

import numpy as np
from _report import cpu, parser, publish, table
from _retail import read

from storecrew.models.demand import DemandHistory, train
from storecrew.models.inventory import RULES, ReplaySettings, choose, order_up_to, replay, stock_at
from storecrew.models.inventory.choice import KNOBS, LEARNED, rule_levels
from storecrew.models.inventory.learned_levels import learned_levels
from storecrew.models.inventory.replay import Levels, ReplayOutcome

DAYS = 84
FILLS = (0.85, 0.9, 0.93)
LEADS = (3, 7, 14)
DRAWS = 12
Policy = Callable[[np.ndarray, ReplaySettings], Levels]


@cache
def deviates() -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(np.append(KNOBS, [1 - 1e-6, 1 - 1e-8, 1 - 1e-11]))


def normal(units: np.ndarray, terms: ReplaySettings) -> Levels:
    """Mean and standard deviation of 56 days: what textbooks and stockpyl's newsvendor have."""

    def levels(day: int) -> np.ndarray:
        past, k = units[:, day - 56 : day], terms.cover
        return np.maximum(k * past.mean(1) + deviates()[:, None] * past.std(1) * k**0.5, 0.0)

    return levels


def stockpyl(units: np.ndarray, terms: ReplaySettings) -> Levels:
    """`newsvendor_normal` of stockpyl, product by product; holding 1, stock-out by the knob."""
    from stockpyl.newsvendor import newsvendor_normal

    def levels(day: int) -> np.ndarray:
        past, k = units[:, day - 56 : day], terms.cover
        mean, sd = k * past.mean(1), np.maximum(past.std(1) * k**0.5, 1e-9)
        found = np.zeros((len(KNOBS), len(units)))
        for n, q in enumerate(KNOBS):
            for i in np.flatnonzero(mean > 0):
                found[n, i] = newsvendor_normal(1, q / (1 - q), mean[i], sd[i])[0]
        return np.maximum(found, 0.0)

    return levels


def days_of_cover(units: np.ndarray, terms: ReplaySettings) -> Levels:
    """So many times the mean of 28 days over lead time and review: the knob is tuned."""
    times = np.geomspace(0.3, 8, 40)[:, None]
    return lambda day: times * units[:, day - 28 : day].mean(1) * terms.cover


def empirical(units: np.ndarray, terms: ReplaySettings) -> Levels:
    """The quantile of the sums of so many days in the last 112."""

    def levels(day: int) -> np.ndarray:
        past = units[:, day - 112 : day]
        sums = np.lib.stride_tricks.sliding_window_view(past, terms.cover, axis=1).sum(2)
        return np.quantile(sums, KNOBS, axis=1)

    return levels


def learned(units: np.ndarray, terms: ReplaySettings) -> Levels:
    begin = units.shape[1] - DAYS
    return learned_levels(units, terms, begin=begin, services=KNOBS)


def by_rule(n: int) -> Policy:
    return lambda units, terms: rule_levels(units, RULES[n], terms)


def expected(units: np.ndarray, first: date) -> dict[int, np.ndarray]:
    """Return the mean forecast at each review, [products, 21], learned anew every 28 days."""
    begin = units.shape[1] - DAYS
    found = {}
    for day in range(begin, units.shape[1], 7):
        names = [str(n) for n in range(len(units))]
        history = DemandHistory(first=first, series=names, units=units[:, :day])
        if (day - begin) % 28 == 0:
            model = train(history, horizon=max(LEADS) + 7)
        found[day] = model.forecast(history).mean
    return found


PEERS: dict[str, Policy] = {
    "normal": normal,
    "stockpyl newsvendor_normal": stockpyl,
    "tuned days of cover": days_of_cover,
    "empirical quantile": empirical,
    "storecrew's learned quantile (needs over a year)": learned,
    **{f"storecrew rule: {rule.name}": by_rule(n) for n, rule in enumerate(RULES)},
}


NAMES = ("**storecrew, as chosen**", "**the same, with the forecast of demand**")


def with_forecast(
    units: np.ndarray, terms: ReplaySettings, name: str, ahead: dict[int, np.ndarray]
) -> Levels:
    """The chosen rule, with half of the level from the learned forecast."""
    rule = next(rule for rule in RULES if rule.name == name)

    def levels(day: int) -> np.ndarray:
        k = terms.cover
        mean = ahead[day][:, :k].sum(1)
        return order_up_to(units[:, :day], days=k, services=KNOBS, rule=rule, ahead=mean)

    return levels


def main() -> None:
    given = parser(__doc__).parse_args()
    data = read()
    end = data.units.shape[1]
    data = data.chosen(end - DAYS)
    units = data.units
    before = slice(0, end - DAYS)
    value = data.revenue[:, before].sum(1) / units[:, before].sum(1)
    rows: dict[str, list[str]] = {name: [] for name in (*NAMES, *PEERS)}
    ahead = expected(units, data.first)
    seconds, picked = 0.0, []
    for lead in LEADS:
        terms = ReplaySettings(lead=lead)
        began = cpu()
        chosen = choose(units[:, before], value, terms)
        seconds += cpu() - began
        picked.append(f"{lead} days: {chosen}")
        outcomes = {
            name: replay(units, value, policy(units, terms), terms, days=DAYS)
            for name, policy in PEERS.items()
        }
        usual = needs(outcomes["normal"])
        for name, outcome in outcomes.items():
            rows[name] += [f"{a / b:.3f}" for a, b in zip(needs(outcome), usual, strict=True)]
        rows[NAMES[0]] += with_interval(units, value, terms, chosen)
        if chosen != LEARNED:
            together = with_forecast(units, terms, chosen, ahead)
            outcome = replay(units, value, together, terms, days=DAYS)
            rows[NAMES[1]] += [f"{a / b:.3f}" for a, b in zip(needs(outcome), usual, strict=True)]
    headers = ["policy", *(f"L{lead}: {fill}" for lead in LEADS for fill in FILLS)]
    body = table(headers, [[name, *cells] for name, cells in rows.items()])
    body += (
        "\n\nStock value relative to the normal policy at equal value fill; nan: not reached. "
        f"Chosen from the history before the replay ({seconds:.1f} s of processor time for all "
        f"three): {'; '.join(picked)}. About forty forms of the rule were replayed on the 84 days "
        "before and on these; the first rule is not the best here, but was good on both."
    )
    publish(
        "models-inventory", body, command="python benchmarks/models/inventory.py", write=given.write
    )


def needs(outcome: ReplayOutcome) -> list[float]:
    return [stock_at(outcome, fill) for fill in FILLS]


def with_interval(
    units: np.ndarray, value: np.ndarray, terms: ReplaySettings, chosen: str
) -> list[str]:
    """Return the ratio to normal at each fill, with its interval.

    The spread over half-samples is that of a full sample's figure (McCarthy, 1969).
    """
    policy = learned if chosen == LEARNED else by_rule([r.name for r in RULES].index(chosen))

    def ratios(rows: np.ndarray) -> list[float]:
        own, usual = (
            needs(replay(units[rows], value[rows], each(units[rows], terms), terms, days=DAYS))
            for each in (policy, normal)
        )
        return [a / b for a, b in zip(own, usual, strict=True)]

    chance = np.random.default_rng(0)
    count = len(units)
    drawn = [ratios(chance.choice(count, count // 2, replace=False)) for _ in range(DRAWS)]
    spread = 1.96 * np.nanstd(drawn, axis=0, ddof=1)
    return [
        f"{found:.3f} ± {half:.3f}"
        for found, half in zip(ratios(np.arange(count)), spread, strict=True)
    ]


if __name__ == "__main__":
    warnings.filterwarnings("ignore", module="stockpyl")
    main()
