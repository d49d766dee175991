"""Which way to keep stock suits this shop: the usual one, unless its own past says otherwise."""

import numpy as np

from storecrew.models.arrays import Floats
from storecrew.models.inventory.learned_levels import ENOUGH_DAYS, learned_levels
from storecrew.models.inventory.levels import RULES, WINDOW, StockRule, order_up_to
from storecrew.models.inventory.replay import (
    Levels,
    ReplayOutcome,
    ReplaySettings,
    replay,
    stock_at,
)

LEARNED = "learned quantile"
"""Stock up to a quantile of demand learned by gradient boosting from all series together."""

KNOBS = np.concatenate(
    [np.arange(0.3, 0.9, 0.05), 1 - np.geomspace(0.1, 1e-5, 17)],
)
"""Services tried to find the stock that each fill needs."""
_REPLAYED = 84
_FILLS = (0.85, 0.9, 0.95)
_CLEARLY = 0.95
"""Stock against the usual rule's at which another is better beyond doubt: replays are noisy, and
who always takes last quarter's winner pays for its luck."""
_MOST_SERIES = 1000


def choose(units: Floats, value: Floats, terms: ReplaySettings, *, seed: int = 0) -> str:
    """Return the name of the rule, or `LEARNED`, that needed the least stock at equal fill.

    Replays the last 84 days of `units` [series, days] with `value` [series] a unit; the usual rule
    stays unless another needed 5 % less. With less than 196 days of history there is nothing to
    replay on; the learned quantile is tried only with more than a year before the replay. At most
    1,000 series, drawn by lot, are replayed.
    """
    usual = RULES[0].name
    if units.shape[1] < WINDOW + _REPLAYED or not len(units):
        return usual
    if len(units) > _MOST_SERIES:
        drawn = np.random.default_rng(seed).choice(len(units), _MOST_SERIES, replace=False)
        units, value = units[drawn], value[drawn]
    tried = {rule.name: rule_levels(units, rule, terms) for rule in RULES}
    if units.shape[1] - _REPLAYED >= ENOUGH_DAYS:
        begin = units.shape[1] - _REPLAYED
        tried[LEARNED] = learned_levels(units, terms, begin=begin, services=KNOBS, seed=seed)
    needs = {
        name: _needed(replay(units, value, levels, terms, days=_REPLAYED))
        for name, levels in tried.items()
    }
    best = min(needs, key=lambda name: _against(needs[name], needs[usual]))
    return best if _against(needs[best], needs[usual]) < _CLEARLY else usual


def rule_levels(units: Floats, rule: StockRule, terms: ReplaySettings) -> Levels:
    """Return the rule's levels at each of `KNOBS`, per day of the history, from the days before."""
    return lambda day: order_up_to(units[:, :day], days=terms.cover, services=KNOBS, rule=rule)


def _needed(outcome: ReplayOutcome) -> list[float]:
    return [stock_at(outcome, fill) for fill in _FILLS]


def _against(needed: list[float], usual: list[float]) -> float:
    """Return the mean ratio over the fills that both reach; one that reaches fewer is no better."""
    if sum(map(np.isfinite, needed)) < sum(map(np.isfinite, usual)):
        return 1.0
    ratios = [a / b for a, b in zip(needed, usual, strict=True) if np.isfinite(a / b) and b > 0]
    return float(np.mean(ratios)) if ratios else 1.0
