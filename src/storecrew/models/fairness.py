"""Are groups of customers treated alike? Ratios with intervals, and which gaps are worth a look.

A gap is flagged only where it is both large and sure: a ratio under the four-fifths rule (Uniform
Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D), or the like for prices, whose
interval does not reach one. Intervals are Bonferroni's: with many groups some differ by chance.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from storecrew.domain.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class FairnessSettings:
    """From where on a difference between groups is reported as a gap."""

    least_ratio: float = 0.8
    """Smallest ratio of a group's share to the best group's that passes: the four-fifths rule."""
    price_gap: float = 0.05
    """Largest share by which a group may pay more than the one that pays least."""
    level: float = 0.95
    """Chance with which no group at all is flagged when none is treated differently."""
    fewest: int = 30
    """Customers of a group below whom nothing is said of it."""

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        for name in ("least_ratio", "level"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidInput(name, "is not between 0 and 1")
        if not self.price_gap > 0:
            raise InvalidInput("price_gap", "is not above 0")
        if self.fewest < 1:
            raise InvalidInput("fewest", "counts from one")


@dataclass(frozen=True, kw_only=True)
class GroupDisparity:
    """How one group stands beside the one it is compared with."""

    group: str
    count: int
    value: float
    """Its share, or its mean."""
    against: str
    """The group that fares best; its own name for that group itself."""
    ratio: float | None
    """Its value over the best group's; None where that is nought."""
    low: float | None
    high: float | None
    """Bounds of the ratio; None where nothing can be said."""
    flagged: bool


def rates(groups: Mapping[str, tuple[int, int]], terms: FairnessSettings) -> list[GroupDisparity]:
    """Return each group beside the one with the largest share of what is good to get.

    `groups`: (how many got it, how many there are). Interval of the ratio by Katz et al. (1978,
    Biometrics 34) on the logarithm, half a case added to both where one is nought.
    """
    for name, (got, of) in groups.items():
        if of < 0 or not 0 <= got <= of:
            raise InvalidInput(name, f"{got} of {of} is no share")
    large = {name: each for name, each in groups.items() if each[1] >= terms.fewest}
    if not large:
        return []
    best = max(sorted(large), key=lambda name: large[name][0] / large[name][1])
    z = _deviate(terms, len(large))
    return [_rate(name, best, large, z, terms) for name in sorted(large)]


def prices(groups: Mapping[str, Sequence[float]], terms: FairnessSettings) -> list[GroupDisparity]:
    """Return each group beside the one that pays least, given what each customer paid over usual.

    Values are ratios around one, one for each customer. The interval of the ratio of means is by
    the delta method on the logarithm.
    """
    large = {
        name: np.asarray(each, np.float64)
        for name, each in groups.items()
        if len(each) >= terms.fewest
    }
    for name, values in large.items():
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise InvalidInput(name, "must be prices above nought")
    if not large:
        return []
    best = min(sorted(large), key=lambda name: float(large[name].mean()))
    z = _deviate(terms, len(large))
    found = []
    for name in sorted(large):
        ours, theirs = large[name], large[best]
        ratio = float(ours.mean() / theirs.mean())
        error = 0.0 if name == best else math.hypot(_relative_error(ours), _relative_error(theirs))
        low, high = ratio * math.exp(-z * error), ratio * math.exp(z * error)
        found.append(
            GroupDisparity(
                group=name,
                count=len(ours),
                value=float(ours.mean()),
                against=best,
                ratio=ratio,
                low=low,
                high=high,
                flagged=name != best and ratio > 1 + terms.price_gap and low > 1,
            )
        )
    return found


def _rate(
    name: str, best: str, groups: Mapping[str, tuple[int, int]], z: float, terms: FairnessSettings
) -> GroupDisparity:
    (got, of), (most, among) = groups[name], groups[best]
    share = got / of
    if most == 0 or name == best:
        ratio = None if most == 0 else 1.0
        return GroupDisparity(
            group=name,
            count=of,
            value=share,
            against=best,
            ratio=ratio,
            low=ratio,
            high=ratio,
            flagged=False,
        )
    a, b = (got, most) if got else (got + 0.5, most + 0.5)
    n, m = (of, among) if got else (of + 1, among + 1)
    error = math.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    middle = (a / n) / (b / m)
    ratio = share / (most / among)
    high = middle * math.exp(z * error)
    return GroupDisparity(
        group=name,
        count=of,
        value=share,
        against=best,
        ratio=ratio,
        low=middle * math.exp(-z * error),
        high=high,
        flagged=ratio < terms.least_ratio and high < 1,
    )


def _deviate(terms: FairnessSettings, groups: int) -> float:
    """Return the normal deviate of all pairs at once, as the best is picked from all."""
    pairs = max(1, groups * (groups - 1) // 2)
    return NormalDist().inv_cdf(1 - (1 - terms.level) / 2 / pairs)


def _relative_error(values: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    if len(values) < 2:
        return math.inf
    return float(values.std(ddof=1) / math.sqrt(len(values)) / values.mean())
