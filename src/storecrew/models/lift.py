"""What a campaign brought: who was written to against who was left out. Numbers in, numbers out.

Both groups were drawn alike, so that what differs between them is the message. Everybody who was
to be written to counts, whether or not the letter was read: what is measured is the sending.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from storecrew.domain.errors import InvalidInput

_DEVIATE = NormalDist()
LEVEL = 0.9
"""Chance with which an interval holds the truth: nine in ten, as an owner wants to know soon."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A difference between two groups, and between which bounds it lies."""

    low: float
    mean: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Lift:
    """What came of a message: recipients less those left out."""

    recipients: int
    holdout: int
    rate: float
    """Share of the recipients who ordered."""
    rate_holdout: float
    rate_lift: Interval
    """Difference of the two shares."""
    value: float
    """Ordered per recipient, in the shop's money."""
    value_holdout: float
    value_lift: Interval
    """Difference per customer, in the shop's money."""

    @property
    def sold(self) -> float:
        """What the campaign sold in all, in the shop's money."""
        return self.value_lift.mean * self.recipients

    @property
    def loses(self) -> bool:
        """Whether the message surely did harm: even the upper bound of orders is below nought."""
        return self.rate_lift.high < 0


def lift(recipients: Sequence[float], holdout: Sequence[float], *, level: float = LEVEL) -> Lift:
    """Return what a campaign brought, from what each customer of both groups spent.

    0 is a customer who ordered nothing. Rates by `rate_difference`, values by `mean_difference`.
    Raises `InvalidInput` without anybody in either group, or for what is no amount.
    """
    ours, others = _amounts("recipients", recipients), _amounts("holdout", holdout)
    bought, left = int((ours > 0).sum()), int((others > 0).sum())
    return Lift(
        recipients=ours.size,
        holdout=others.size,
        rate=bought / ours.size,
        rate_holdout=left / others.size,
        rate_lift=rate_difference(bought, ours.size, left, others.size, level=level),
        value=float(ours.mean()),
        value_holdout=float(others.mean()),
        value_lift=mean_difference(ours.tolist(), others.tolist(), level=level),
    )


def rate_difference(
    first: int, first_of: int, second: int, second_of: int, *, level: float = LEVEL
) -> Interval:
    """Return first/first_of − second/second_of with Newcombe's hybrid score interval.

    Source: Newcombe (1998), "Interval estimation for the difference between independent
    proportions", Statistics in Medicine 17, method 10: right also where few or none bought.
    """
    _check_level(level)
    z = _DEVIATE.inv_cdf((1 + level) / 2)
    p, p_low, p_high = _wilson(first, first_of, z)
    q, q_low, q_high = _wilson(second, second_of, z)
    low = p - q - math.hypot(p - p_low, q_high - q)
    high = p - q + math.hypot(p_high - p, q - q_low)
    return Interval(low=max(-1.0, low), mean=p - q, high=min(1.0, high))


def mean_difference(
    first: Sequence[float], second: Sequence[float], *, level: float = LEVEL
) -> Interval:
    """Return the difference of two means with Welch's interval, unequal spreads allowed.

    Source: Welch (1947), Biometrika 34, with Satterthwaite's degrees of freedom. Without two
    values on each side nothing is known of the spread, and the bounds are infinite.
    """
    _check_level(level)
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if not one.size or not two.size:
        raise InvalidInput("values", "each group needs somebody")
    mean = float(one.mean() - two.mean())
    if one.size < 2 or two.size < 2:
        return Interval(low=-math.inf, mean=mean, high=math.inf)
    a, b = one.var(ddof=1) / one.size, two.var(ddof=1) / two.size
    if a + b == 0:
        return Interval(low=mean, mean=mean, high=mean)
    freedom = (a + b) ** 2 / (a**2 / (one.size - 1) + b**2 / (two.size - 1))
    # scipy takes a quarter of a second to import
    from scipy.special import stdtrit

    reach = float(stdtrit(freedom, (1 + level) / 2) * math.sqrt(a + b))
    return Interval(low=mean - reach, mean=mean, high=mean + reach)


@dataclass(frozen=True, kw_only=True)
class NormalBelief:
    """A normal belief about by which share a message raises what customers spend."""

    mean: float
    sd: float

    def with_seen(self, mean: float, sd: float) -> "NormalBelief":
        """Return the belief after another campaign showed this, by the product of the normals."""
        if not (math.isfinite(mean) and math.isfinite(sd) and sd > 0):
            return self
        ours, theirs = 1 / self.sd**2, 1 / sd**2
        total = ours + theirs
        return NormalBelief(mean=(ours * self.mean + theirs * mean) / total, sd=total**-0.5)

    def bound(self, q: float) -> float:
        """Return its q-quantile."""
        return self.mean + _DEVIATE.inv_cdf(q) * self.sd


def relative(found: Lift, *, level: float = LEVEL) -> tuple[float, float]:
    """Return the lift as a share of what who was left out spent, with its standard error.

    NaN where who was left out spent nothing: then no share can be told.
    """
    if found.value_holdout <= 0:
        return math.nan, math.nan
    reach = found.value_lift.high - found.value_lift.mean
    z = _DEVIATE.inv_cdf((1 + level) / 2)
    return found.value_lift.mean / found.value_holdout, reach / z / found.value_holdout


def _wilson(count: int, of: int, z: float) -> tuple[float, float, float]:
    """Return a proportion and Wilson's (1927) score interval of it."""
    if of < 1 or not 0 <= count <= of:
        raise InvalidInput("count", f"{count} of {of} is no proportion")
    p, square = count / of, z * z
    middle = (2 * count + square) / (2 * (of + square))
    reach = z * math.sqrt(square + 4 * count * (1 - p)) / (2 * (of + square))
    return p, middle - reach, middle + reach


def _amounts(name: str, given: Sequence[float]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    values = np.asarray(given, np.float64)
    if values.ndim != 1 or not values.size:
        raise InvalidInput(name, "needs at least one customer")
    if not np.isfinite(values).all() or (values < 0).any():
        raise InvalidInput(name, "must be amounts of zero or more")
    return values


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InvalidInput("level", f"{level} is not between 0 and 1")
