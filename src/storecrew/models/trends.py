"""What rises: products, searches and words of the news, told from what only comes and goes.

A count of the last days is compared with what the days before let expect. Counts of shops and news
are burstier than chance alone: they are taken for negative binomial, with variance m + a·m² in a
span of `recent` periods. Of N counts in all, those of the last span then follow

    Y ~ beta-binomial(N, share·S/a, (1 - share)·S/a)

with S the number of spans and `share` the part of the exposure (all units, all texts) that fell
into the last: the conditional test of two Poisson rates (Przyborowski and Wilenski 1940) with
overdispersion; exact where exposure is even and a is known. a comes from the spans before the last
by moments, so that what comes in runs of days counts in full: a series' own drawn towards that of
all. Over all series the false-discovery rate is held by Benjamini and Hochberg (1995).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats, floats

_PRIOR_SPANS = 12.0
"""Spans of its own after which a series' spread counts more than that of all."""
_LEAST_SHARE = 0.75
"""A series' spread is never below this share of that of all: a quiet past may be luck."""
_TRIMMED = 0.1
"""Share of the weight, at the top, that does not count for the spread of all."""
_FROM, _TO, _STEPS = -6.0, 36.0, 57
"""Logits of the quantiles that are averaged over; below lies what adds nothing to an upper tail."""
_DOUBTFUL = 0.25
_LEAST_COUNT = 3.0
"""A series with fewer counts in all is not tested: nothing it does could be told from chance.
Counts in all say nothing of when, so leaving them out keeps the test honest."""
_PRIOR_RATE = 1.0
"""Expected counts that are added to both sides of a growth, so that few counts grow little."""
_LOWER = 0.1
_LARGEST = 1e12


@dataclass(frozen=True, kw_only=True)
class Rises:
    """Per series, in their order; arrays of one length."""

    recent: Floats
    """Counts of the last periods."""
    expected: Floats
    """What the periods before let expect of the last ones."""
    growth: Floats
    """Recent over expected, drawn towards one where counts are few."""
    low: Floats
    """Growth that is exceeded with a chance of nine in ten."""
    p: Floats
    """Chance of as many counts if nothing rose; 1 where there are too few to test."""
    q: Floats
    """Smallest false-discovery rate at which the series counts as rising."""
    rising: NDArray[np.bool_]


def rises(
    counts: ArrayLike, *, recent: int = 7, exposure: ArrayLike | None = None, fdr: float = 0.1
) -> Rises:
    """Return which series rose in their last `recent` periods.

    `counts` `[series, periods]`, zero or more, oldest first; `exposure` `[periods]`: how much could
    have been counted (default: the sum of all series, or one where that is zero). Of what is called
    rising a share `fdr` is chance, on average. Whole weeks as `recent` cancel weekdays. Raises
    `InvalidInput`, also where fewer than two periods as long as the last come before it.
    """
    table = _checked(counts, recent)
    if not 0 < fdr < 1:
        raise InvalidInput("fdr", f"{fdr} is not between 0 and 1")
    busy = _exposure(table, exposure)
    blocks, weight = in_spans(table, recent), in_spans(busy[None, :], recent)[0]
    now, before = blocks[:, -1], blocks[:, :-1].sum(axis=1)
    share = weight[-1] / weight.sum()
    mean = before[:, None] * weight[:-1] / weight[:-1].sum()
    spread = spread_of(blocks[:, :-1], mean)
    p = chance_of_more(now, before, np.full(now.size, share), spread / blocks.shape[1])
    tested = now + before >= _LEAST_COUNT
    p = np.where(tested, p, 1.0)
    q = np.ones_like(p)
    q[tested] = false_discovery(p[tested])
    expected = before * share / (1 - share)
    dispersion = 1 + spread * np.maximum(expected, 0.0)
    growth = (now + _PRIOR_RATE * dispersion) / (expected + _PRIOR_RATE * dispersion)
    return Rises(
        recent=now,
        expected=expected,
        growth=growth,
        low=_lower(now, expected, dispersion),
        p=p,
        q=q,
        rising=(q <= fdr) & (growth > 1),
    )


def false_discovery(p: Floats) -> Floats:
    """Return q-values by Benjamini and Hochberg: min over larger p of p · n / rank."""
    count = p.size
    order = np.argsort(p)[::-1]
    scaled = p[order] * count / np.arange(count, 0, -1)
    answer = np.empty_like(p)
    answer[order] = np.minimum.accumulate(np.minimum(scaled, 1.0))
    return answer


def _checked(counts: ArrayLike, recent: int) -> Floats:
    table = np.atleast_2d(floats("counts", counts, most=_LARGEST))
    if table.ndim != 2:
        raise InvalidInput("counts", "must be one row of periods per series")
    if recent < 1 or table.shape[1] < 3 * recent:
        raise InvalidInput("recent", f"needs three times as many periods, not {table.shape[1]}")
    return table


def _exposure(table: Floats, given: ArrayLike | None) -> Floats:
    """Return how much could have been counted in each period, never zero."""
    if given is None:
        busy = table.sum(axis=0)
    else:
        busy = floats("exposure", given)
        if busy.shape != (table.shape[1],):
            raise InvalidInput("exposure", "must be one number per period")
    mean = busy.mean() or 1.0
    return np.asarray(np.maximum(busy, 1e-6 * mean))


def in_spans(table: Floats, recent: int) -> Floats:
    """Return sums over blocks of `recent` periods that end with the last; odd first ones go."""
    spans = table.shape[1] // recent
    kept = table[:, table.shape[1] - spans * recent :]
    return np.asarray(kept.reshape(table.shape[0], spans, recent).sum(axis=2))


def spread_of(before: Floats, mean: Floats) -> Floats:
    """Return a of each series: by how much, squared, its spans vary beyond chance around `mean`.

    Both `[series, spans]`; a series' own is drawn towards that of all.
    """
    spans = before.shape[1]
    beyond = ((before - mean) ** 2).sum(axis=1) * spans / (spans - 1) - mean.sum(axis=1)
    own = beyond / np.maximum((mean**2).sum(axis=1), 1e-12)
    usual = mean.mean(axis=1)
    telling = (spans - 1) * (usual / (1 + usual)) ** 2
    pooled = max(0.0, _trimmed(own, telling))
    drawn = (telling * own + _PRIOR_SPANS * pooled) / (telling + _PRIOR_SPANS)
    return np.asarray(np.maximum(drawn, _LEAST_SHARE * pooled))


def _trimmed(own: Floats, weight: Floats) -> float:
    """Return the weighted mean without the largest: a few seasonal series are not all of them."""
    order = np.argsort(own)
    below = np.cumsum(weight[order]) <= (1 - _TRIMMED) * weight.sum()
    kept = order[below] if below.any() else order
    return float((weight * own)[kept].sum() / max(weight[kept].sum(), 1e-12))


def chance_of_more(now: Floats, before: Floats, share: Floats, spread: Floats) -> Floats:
    """Return the chance of so many or more in the last span, 1 for no more than expected.

    `share` of the exposure that fell into the last span; `spread` over the number of spans. With
    `now` and `before` changed, and 1 − share, it is the chance of so many or fewer.

    The beta-binomial's tail is the binomial's, averaged over the beta: by the trapezoid rule over
    the logit of its quantiles, so that far tails count. Where a binomial with counts divided by
    their dispersion (Rao and Scott 1992) sees nothing, its answer is enough.
    """
    from scipy.special import betainc, betaincinv, expit  # not imported by who asks no trend

    total = 1 / np.clip(spread, 1e-6, 1e3)
    dispersion = 1 + (now + before - 1).clip(0) / (total + 1)
    rough = betainc(np.maximum(now / dispersion, 1e-9), before / dispersion + 1, share)
    p = np.where(now > (now + before) * share, rough, 1.0)
    steps = np.linspace(_FROM, _TO, _STEPS)
    weight = expit(steps) * expit(-steps)
    low = steps < 0
    doubtful = np.flatnonzero(p < _DOUBTFUL)
    for rows in np.array_split(doubtful, doubtful.size // 2000 + 1):
        size = total[rows][:, None]
        one, other = size * share[rows][:, None], size * (1 - share[rows][:, None])
        below = betaincinv(one, other, expit(steps[low]))
        above = 1 - betaincinv(other, one, expit(-steps[~low]))
        rate = np.concatenate([below, above], axis=1).clip(0, 1)
        tail = betainc(np.maximum(now[rows], 1.0)[:, None], before[rows][:, None] + 1, rate)
        p[rows] = np.clip((tail * weight).sum(axis=1) / weight.sum(), 0.0, 1.0)
    return np.asarray(np.where(np.isfinite(p), p, 1.0))  # beyond what a float can tell


def _lower(now: Floats, expected: Floats, dispersion: Floats) -> Floats:
    """Return the growth exceeded nine times in ten: gamma rates with `_PRIOR_RATE` of one before.

    The ratio of two gamma rates is a scaled beta prime, whose quantiles are those of a beta.
    """
    from scipy.special import betaincinv

    ours = now / dispersion + _PRIOR_RATE
    theirs = expected / dispersion + _PRIOR_RATE
    share = betaincinv(ours, theirs, _LOWER)
    return np.asarray(share / np.maximum(1 - share, 1e-12))
