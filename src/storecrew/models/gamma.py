"""Quantiles of the gamma distribution, by which demand models turn a spread into units."""

import math
from bisect import bisect_right
from functools import cache
from statistics import NormalDist

_SMALLEST_CV = 0.05
_LARGEST_CV = 20.0
_POINTS = 96
_GRID: tuple[float, ...] = tuple(
    _SMALLEST_CV * (_LARGEST_CV / _SMALLEST_CV) ** (n / (_POINTS - 1)) for n in range(_POINTS)
)


def quantile(q: float, mean: float, cv: float) -> float:
    """Return the q-quantile of a gamma distribution with this mean and coefficient of variation.

    `mean` in any unit, the answer in the same; 0 < q < 1. Exact on a grid of CVs and linear
    between; below a CV of 0.05 by Wilson and Hilferty (1931), above 20 as at 20.
    """
    if mean <= 0:
        return 0.0
    if cv <= _SMALLEST_CV:
        return mean * _wilson_hilferty(q, 1 / max(cv * cv, 1e-12))
    table = _table(round(q, 6))
    right = min(bisect_right(_GRID, cv), _POINTS - 1)
    left = right - 1
    share = min(1.0, (cv - _GRID[left]) / (_GRID[right] - _GRID[left]))
    return mean * (table[left] + share * (table[right] - table[left]))


@cache
def _table(q: float) -> tuple[float, ...]:
    """Return the quantile in means, per CV of the grid."""
    return tuple(_solve(q, 1 / (cv * cv)) for cv in _GRID)


def _solve(q: float, shape: float) -> float:
    """Invert the distribution function by bisection on a logarithmic scale."""
    low, high = 1e-12, 1.0
    while _lower_share(shape, high * shape) < q:
        high *= 2
    if _lower_share(shape, low * shape) >= q:
        return 0.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if _lower_share(shape, middle * shape) < q else (low, middle)
    return high


def _wilson_hilferty(q: float, shape: float) -> float:
    z = NormalDist().inv_cdf(q)
    root = 1 - 1 / (9 * shape) + z / (3 * math.sqrt(shape))
    return float(max(0.0, root) ** 3)


def _lower_share(shape: float, x: float) -> float:
    """Return the regularised lower incomplete gamma function P(shape, x).

    Series below shape + 1, Lentz's continued fraction above (Press et al., Numerical Recipes §6.2).
    """
    if x <= 0:
        return 0.0
    scale = math.exp(-x + shape * math.log(x) - math.lgamma(shape))
    return _series(shape, x) * scale if x < shape + 1 else 1 - _fraction(shape, x) * scale


def _series(shape: float, x: float) -> float:
    term = total = 1 / shape
    n = shape
    while term > total * 1e-12:
        n += 1
        term *= x / n
        total += term
    return total


def _fraction(shape: float, x: float) -> float:
    tiny = 1e-300
    b = x + 1 - shape
    c = 1 / tiny
    d = h = 1 / b
    for n in range(1, 500):
        a = -n * (n - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        h *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return h
