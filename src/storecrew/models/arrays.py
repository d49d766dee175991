"""Numbers as models take them: one kind of array, one check of what comes in."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from storecrew.domain.errors import InvalidInput

Floats = NDArray[np.float64]

LARGEST = 1e15
"""No price, count or sum of a shop is as large; what is, is a mistake."""


def floats(name: str, given: ArrayLike, *, least: float = 0.0, most: float = LARGEST) -> Floats:
    """Return the numbers as an array of the shape they have; none is NaN or out of bounds.

    Raises `InvalidInput` that names `name`: for text, rows of different length, and numbers that
    do not lie from `least` to `most`.
    """
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(name, "must be numbers, as many in each row") from None
    if found.size and not (found.min() >= least and found.max() <= most):
        raise InvalidInput(name, f"must be numbers from {least:g} to {most:g}")
    return found
