"""What a trained model leaves behind: arrays by name, packed without code that could run."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput

State = Mapping[str, NDArray[Any]]
"""Arrays of numbers, booleans or fixed-width text, by name; a scalar is an array of no axes."""


def pack(state: State) -> bytes:
    """Return the arrays as one compressed file (NumPy's npz); objects are refused."""
    for name, array in state.items():
        if array.dtype.hasobject:
            raise InvalidInput(name, "holds objects, which no other process could trust")
    target = io.BytesIO()
    np.savez_compressed(target, **dict(state))  # type: ignore[arg-type]
    return target.getvalue()


def unpack(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of a packed state; raises `InvalidInput` where the file is damaged."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise InvalidInput("state", "is damaged or no model's state") from error
