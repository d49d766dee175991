"""What to buy first when the money does not reach: most value for the budget, in whole packs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats

_SLICES = 12
"""Steps into which a purchase is cut: the first units of one are worth more than its last."""


@dataclass(frozen=True, kw_only=True)
class Buy:
    """A purchase that is wanted."""

    quantity: int
    """Units wanted, in whole packs."""
    pack_size: int
    unit_cost: float
    unit_value: float
    """What a unit sold earns (price less cost)."""
    chance: Sequence[float]
    """The chance that the first, the middle and the last unit is sold before the next order
    arrives: at least two figures, falling, evenly spaced over the quantity."""


def allocate(wanted: Sequence[Buy], budget: float) -> list[int]:
    """Return units to buy of each, in whole packs, worth the most in all within the budget.

    Each purchase is cut into up to 12 slices of packs, whose value falls from slice to slice; an
    integer program (HiGHS through `scipy.optimize.milp`, gap 0.1 %) chooses the slices. Never more
    than wanted, never over the budget; a budget that reaches buys everything worth buying.
    """
    if not np.isfinite(budget) or budget < 0:
        raise InvalidInput("budget", f"{budget} is no amount from zero up")
    for each in wanted:
        _check(each)
    slices = [_sliced(each) for each in wanted]
    owner = np.repeat(np.arange(len(wanted)), [len(units) for units, _ in slices])
    if not len(owner):
        return [0] * len(wanted)
    units = np.concatenate([part[0] for part in slices])
    worth = np.concatenate([part[1] for part in slices])
    cost = units * np.array([each.unit_cost for each in wanted])[owner]
    taken = _most(worth, cost, budget)
    bought = np.bincount(owner[taken], weights=units[taken], minlength=len(wanted))
    return [round(quantity) for quantity in bought.tolist()]


def _check(each: Buy) -> None:
    if each.pack_size < 1 or each.quantity < 0 or each.quantity % each.pack_size:
        raise InvalidInput("quantity", f"{each.quantity} is not in packs of {each.pack_size}")
    if not (np.isfinite(each.unit_cost) and each.unit_cost >= 0):
        raise InvalidInput("unit_cost", f"{each.unit_cost} is no amount from zero up")
    chance = np.asarray(each.chance, dtype=np.float64)
    inside = chance.size > 1 and bool(((chance >= 0) & (chance <= 1)).all())
    if not inside or bool((np.diff(chance) > 0).any()):
        raise InvalidInput("chance", "must be falling chances, two or more")


def _sliced(each: Buy) -> tuple[Floats, Floats]:
    """Return units and expected earnings of each slice."""
    packs = each.quantity // each.pack_size
    if packs == 0:
        return np.zeros(0), np.zeros(0)
    edges = np.unique(np.linspace(0, packs, min(packs, _SLICES) + 1).round()) * each.pack_size
    middle = (edges[1:] + edges[:-1]) / 2 / each.quantity
    chance = np.interp(middle, np.linspace(0, 1, len(each.chance)), each.chance)
    units = np.diff(edges)
    return units, units * chance * each.unit_value


def _most(worth: Floats, cost: Floats, budget: float) -> NDArray[np.intp]:
    """Return the places of the slices to take."""
    gains = np.flatnonzero(worth > 0)
    if cost[gains].sum() <= budget:
        return gains
    # scipy.optimize takes half a second to import
    from scipy.optimize import Bounds, LinearConstraint, milp

    solved = milp(
        -worth[gains],
        constraints=LinearConstraint(cost[gains][None, :], ub=budget),
        integrality=np.ones(len(gains)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 1e-3, "time_limit": 10},
    )
    if solved.x is None:
        return _greedy(worth, cost, budget)
    answer: NDArray[np.intp] = gains[np.asarray(solved.x) > 0.5]
    return answer


def _greedy(worth: Floats, cost: Floats, budget: float) -> NDArray[np.intp]:
    """Return what the most value per money buys."""
    order = np.argsort(-worth / np.maximum(cost, 1e-12), kind="stable")
    order = order[worth[order] > 0]
    return np.sort(order[np.cumsum(cost[order]) <= budget])
