"""Which product, country, channel or agent moved a number, told from what always varies.

A number that is a sum (orders, revenue, refunds) or a ratio (conversion, refund rate) is broken
down along several dimensions. Each part's contribution is what it differs from its expectation;
whether it is a *cause* is another question: when the whole shop slows, every part contributes and
none stands out. So a part is held against what the other parts of its dimension did:

    g = sum of the others now / sum of the others expected

and the chance of what it did, if it should have gone with g, comes from the beta-binomial of
`models.trends`, so that parts that are small or vary much need more to stand out. The
false-discovery rate is held over all parts of all dimensions. Contributions and surprise are the
two measures of Bhagwan et al., "Adtributor" (NSDI 2014), the surprise with a null model in place of
a divergence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats, floats
from storecrew.models.trends import chance_of_more, false_discovery, in_spans, spread_of

_LEAST_SPANS = 4
_LARGE = 5.0
"""Expected counts from which a part has a growth worth hearing."""
_FAR, _ROUGH = 4.0, 0.05
"""Deviations from the median growth (itself known to a twentieth) from which a part is set aside
while the others are summed."""


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """A number along one dimension."""

    names: Sequence[str]
    values: ArrayLike
    """`[parts, periods]`, zero or more, oldest first."""
    exposure: ArrayLike | None = None
    """`[parts, periods]`, for a ratio: what the values are a share of (visits, orders)."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One part, what it has to do with the change, and whether that is more than chance."""

    dimension: str
    part: str
    actual: float
    expected: float
    """From its own past; for a ratio the part's own ratio, as `actual` is."""
    contribution: float
    """What it adds to the change of the whole number."""
    share: float
    """Contribution over the whole change; 0 where nothing changed."""
    surprise: float
    """Distance from what the other parts did, as a normal deviate; its sign is the way."""
    q: float
    """False-discovery rate at which the part counts as a cause."""
    telling: bool


def causes(
    dimensions: Mapping[str, Breakdown], *, recent: int = 1, fdr: float = 0.05
) -> list[Cause]:
    """Return every part of every dimension: causes first, then by how much they moved the number.

    The last `recent` periods are held against the spans of as many before them (whole weeks cancel
    weekdays). With no cause among them the change is the whole shop's, or none. Raises
    `InvalidInput`, also for fewer than four spans before the last.
    """
    if not 0 < fdr < 1:
        raise InvalidInput("fdr", f"{fdr} is not between 0 and 1")
    found = [
        _parts(name, breakdown, recent) for name, breakdown in dimensions.items() if breakdown.names
    ]
    if not found:
        return []
    q = false_discovery(np.concatenate([each.p for each in found]))
    rows = [row for each in found for row in each.rows]
    judged = [
        Cause(**{**vars(row), "q": float(value), "telling": bool(value <= fdr)})
        for row, value in zip(rows, q, strict=True)
    ]
    return sorted(judged, key=lambda c: (not c.telling, c.q if c.telling else 1, -abs(c.share)))


@dataclass(frozen=True)
class _Judged:
    rows: list[Cause]
    p: Floats


def _parts(name: str, breakdown: Breakdown, recent: int) -> _Judged:
    values, exposure = _checked(name, breakdown, recent)
    spans = in_spans(values, recent)
    weight = np.ones_like(spans) if exposure is None else in_spans(exposure, recent)
    before, now = spans[:, :-1], spans[:, -1]
    rate = before.sum(1) / np.maximum(weight[:, :-1].sum(1), 1e-12)
    expected = rate[:, None] * weight
    surprise, p = _surprise(before, now, expected)
    contribution = now - expected[:, -1]
    if exposure is not None:
        contribution = _of_ratio(now, weight[:, -1], rate, weight[:, :-1].sum(1))
    change = contribution.sum()
    share = contribution / change if abs(change) > 1e-12 else np.zeros_like(contribution)
    shown = now if exposure is None else now / np.maximum(weight[:, -1], 1e-12)
    usual = expected[:, -1] if exposure is None else rate
    columns = zip(
        breakdown.names,
        *(each.tolist() for each in (shown, usual, contribution, share, surprise)),
        strict=True,
    )
    rows = [
        Cause(dimension=name, part=part, actual=a, expected=e, contribution=c, share=s, surprise=t,
              q=1.0, telling=False)
        for part, a, e, c, s, t in columns
    ]  # fmt: skip
    return _Judged(rows, p)


def _of_ratio(now: Floats, weight: Floats, rate: Floats, before: Floats) -> Floats:
    """Return each part's contribution to the change of the whole ratio: its own, and its weight's.

    w1·(r1 − r0) + (w1 − w0)·(r0 − R0); they add up to R1 − R0.
    """
    w1 = weight / max(weight.sum(), 1e-12)
    w0 = before / max(before.sum(), 1e-12)
    r1 = np.where(weight > 0, now / np.maximum(weight, 1e-12), rate)
    return np.asarray(w1 * (r1 - rate) + (w1 - w0) * (rate - (w0 * rate).sum()))


def _surprise(before: Floats, now: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """Return each part's distance from what the others did, and the chance of it."""
    from scipy.special import ndtri  # not imported by who asks for no causes

    mean = expected[:, :-1] * _others(before, expected[:, :-1])
    spread = spread_of(before, mean)
    usual = expected[:, -1]
    reach = np.sqrt(usual + spread * usual**2)
    kept = _usual(now, usual, reach)
    growth = _others(now[:, None], expected[:, -1:], kept)[:, 0]
    past, room = before.sum(1), mean.sum(1)
    share = usual * growth / np.maximum(usual * growth + room, 1e-12)
    able = (past > 0) & (usual > 0) & (share > 1e-9)
    share = np.where(able, share, 0.5)
    each = spread / (before.shape[1] + 1)
    more = chance_of_more(now, past, share, each)
    fewer = chance_of_more(past, now, 1 - share, each)
    p = np.where(able, np.clip(2 * np.minimum(more, fewer), 1e-300, 1.0), 1.0)
    way = np.where(more < fewer, 1.0, -1.0)
    return np.asarray(way * np.abs(ndtri(p / 2))), np.asarray(p)


def _usual(now: Floats, expected: Floats, reach: Floats) -> NDArray[np.bool_]:
    """Return which parts went with most of them: a part that broke down says nothing of the rest.

    Against the median growth of the parts that are large enough to have one, each as one voice.
    """
    large = expected >= _LARGE
    if large.sum() < 3:
        return np.ones(now.size, dtype=bool)
    growth = float(np.median(now[large] / expected[large]))
    far = np.abs(now - expected * growth) > _FAR * np.maximum(reach, expected * _ROUGH)
    return ~(far & large)


def _others(actual: Floats, expected: Floats, kept: NDArray[np.bool_] | None = None) -> Floats:
    """Return by how much the other parts of each (of those that are `kept`) grew."""
    mask = np.ones((actual.shape[0], 1)) if kept is None else kept[:, None].astype(np.float64)
    others = (actual * mask).sum(0) - actual * mask
    usual = (expected * mask).sum(0) - expected * mask
    alone = usual <= 1e-9 * np.maximum(expected.sum(0), 1e-12)
    return np.asarray(np.where(alone, 1.0, others / np.maximum(usual, 1e-12)))


def _checked(name: str, breakdown: Breakdown, recent: int) -> tuple[Floats, Floats | None]:
    values = _table(name, breakdown.values)
    if values.shape[0] != len(breakdown.names):
        raise InvalidInput(name, f"{len(breakdown.names)} names for {values.shape[0]} parts")
    if recent < 1 or values.shape[1] // recent <= _LEAST_SPANS:
        raise InvalidInput("recent", f"needs more than {_LEAST_SPANS} spans of {recent} periods")
    if breakdown.exposure is None:
        return values, None
    exposure = _table(name, breakdown.exposure)
    if exposure.shape != values.shape:
        raise InvalidInput(name, "values and exposure differ in shape")
    return values, exposure


def _table(name: str, given: ArrayLike) -> Floats:
    table = floats(name, given)
    if table.ndim != 2:
        raise InvalidInput(name, "must be one row per part")
    return table
