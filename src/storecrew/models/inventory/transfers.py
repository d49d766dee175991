"""Where stock should lie: moves between warehouses that save sales which would be lost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats, floats
from storecrew.models.demand.history import MOST_UNITS


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """So many units of one product from one warehouse (by number) to another."""

    source: int
    target: int
    quantity: int


def plan_transfers(
    on_hand: Sequence[int],
    needed: Sequence[float],
    *,
    keep: Sequence[float] | None = None,
    cost: Floats | None = None,
    shortage: float = 1.0,
) -> list[Transfer]:
    """Return the moves of one product that leave the fewest wants, at the least cost of moving.

    `on_hand` and `needed` are units per warehouse; each keeps at least `keep` (by default what it
    needs itself) of what it has. Minimises Σ cost·moved + shortage·Σ max(0, needed − stock after),
    with `cost` [from, to] per unit (default: a tenth of a unit short): an integer program of two
    rows per warehouse (HiGHS through `scipy.optimize.milp`). A plan never moves what is not there,
    never sends from a warehouse and to it, and moves nothing where nothing is short. Negative
    stock counts as none.
    """
    stock, wants, least = _checked(on_hand, needed, keep)
    n = len(stock)
    rates = floats("cost", np.full((n, n), 0.1 * shortage) if cost is None else cost)
    if rates.shape != (n, n):
        raise InvalidInput("cost", f"must be a table of {n} x {n} amounts")
    spare = np.maximum(stock - np.ceil(least), 0.0)
    short = np.ceil(np.maximum(wants - stock, 0.0))
    givers, takers = np.flatnonzero((spare > 0) & (short == 0)), np.flatnonzero(short > 0)
    if not len(givers) or not len(takers):
        return []
    moved = _solve(spare[givers], short[takers], rates[np.ix_(givers, takers)] - shortage)
    return [
        Transfer(source=int(givers[i]), target=int(takers[j]), quantity=int(moved[i, j]))
        for i, j in zip(*np.nonzero(moved), strict=True)
    ]


def _solve(spare: Floats, short: Floats, gain: Floats) -> Floats:
    """Return units moved [givers, takers]: least Σ gain·moved, within what is spare and short."""
    # scipy.optimize takes half a second to import
    from scipy.optimize import Bounds, LinearConstraint, milp

    givers, takers = gain.shape
    rows = np.kron(np.eye(givers), np.ones(takers))
    columns = np.kron(np.ones(givers), np.eye(takers))
    solved = milp(
        gain.ravel(),
        constraints=LinearConstraint(
            np.concatenate([rows, columns]), ub=np.concatenate([spare, short])
        ),
        integrality=np.ones(gain.size),
        bounds=Bounds(0, np.inf),
    )
    answer: Floats = np.round(solved.x).reshape(gain.shape)
    return answer


def _checked(
    on_hand: Sequence[int], needed: Sequence[float], keep: Sequence[float] | None
) -> tuple[Floats, Floats, Floats]:
    stock = np.maximum(floats("on_hand", on_hand, least=-MOST_UNITS, most=MOST_UNITS), 0.0)
    wants = floats("needed", needed, most=MOST_UNITS)
    least = wants if keep is None else floats("keep", keep, most=MOST_UNITS)
    if not len(stock) == len(wants) == len(least):
        raise InvalidInput("needed", "must have one figure per warehouse, as must `keep`")
    return stock, wants, least
